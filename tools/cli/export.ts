/** `weightless export`: a model for other runtimes. */
import { readFile, stat } from 'node:fs/promises';
import { WeightlessError } from '../../src/core/errors.ts';
import { readInput, writeWhole } from '../../src/core/files.ts';
import { type OnnxOptions, onnxChunks } from '../../src/export/onnx.ts';
import { predictProgram } from '../../src/export/predict.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { bytes, print, table } from '../common/output.ts';

export interface ExportOptions extends OnnxOptions {
  onnx?: string;
  numpyCheck?: string;
  json?: boolean;
}

export async function exportCommand(file: string, { onnx, numpyCheck, weights, json }: ExportOptions): Promise<void> {
  if (!onnx && !numpyCheck) {
    throw new WeightlessError(
      'export: expected --onnx FILE or --numpy-check FILE, got neither. Say what is to be written.',
    );
  }
  const model = readModel(await readInput(file));
  const written: { file: string; bytes: number; what: string }[] = [];
  const write = async (path: string, data: Parameters<typeof writeWhole>[1], what: string) => {
    await writeWhole(path, data);
    written.push({ file: path, bytes: (await stat(path)).size, what });
  };
  if (onnx) {
    const what = weights === 'stored' ? 'its random weights stored' : 'its random weights made by integer operators';
    await write(onnx, onnxChunks(model, { ...(weights && { weights }) }), `ONNX, ${what}`);
  }
  if (numpyCheck) {
    await write(numpyCheck, await readFile(predictProgram), `Python: python3 ${numpyCheck} ${file} IMAGES`);
  }
  print(json, written, () =>
    table(
      ['file', 'size', 'what'],
      written.map((one) => [one.file, bytes(one.bytes), one.what]),
    ),
  );
}
