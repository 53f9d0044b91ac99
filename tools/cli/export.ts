/** `weightless export`: a model for other runtimes. */
import { readFile, realpath, stat } from 'node:fs/promises';
import { WeightlessError, WriteError } from '../../src/core/errors.ts';
import { type Content, checkWritable, writeResult } from '../../src/core/files.ts';
import { type OnnxOptions, onnxChunks } from '../../src/export/onnx.ts';
import { tablePreparation } from '../../src/export/onnx-preparation.ts';
import { predictProgram } from '../../src/export/predict.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { readModelFile } from '../common/model-file.ts';
import { bytes, print, table } from '../common/output.ts';

export interface ExportOptions extends OnnxOptions {
  onnx?: string;
  numpyCheck?: string;
  json?: boolean;
}

export async function exportCommand(file: string, { onnx, numpyCheck, weights, json }: ExportOptions): Promise<void> {
  if (onnx === undefined && numpyCheck === undefined) {
    throw new WeightlessError(
      'export: expected --onnx FILE or --numpy-check FILE, got neither. Name the file to write.',
    );
  }
  const model = readModel(await readModelFile(file));
  for (const path of [onnx, numpyCheck]) {
    if (path === undefined) continue;
    await checkWritable(path);
    if (path === file || (await isSameFile(path, file))) {
      throw new WriteError(`${path}: expected a file to write, got the model itself. Name another file.`);
    }
  }
  const written: { file: string; bytes: number; what: string }[] = [];
  const write = async (path: string, content: Content, what: string) => {
    await writeResult(path, content);
    written.push({ file: path, bytes: (await stat(path)).size, what });
  };
  if (onnx !== undefined) {
    const what = weights === 'stored' ? 'its random weights stored' : 'its random weights made by integer operators';
    await write(onnx, () => onnxChunks(model, { ...(weights && { weights }) }), `ONNX, ${what}`);
  }
  if (numpyCheck !== undefined) {
    await write(
      numpyCheck,
      await readFile(predictProgram),
      `Python: python3 ${numpyCheck} ${file} ${tablePreparation(model) ? 'ROWS.csv' : 'IMAGES'}`,
    );
  }
  print(json, written, () =>
    table(
      ['file', 'size', 'what'],
      written.map((one) => [one.file, bytes(one.bytes), one.what]),
    ),
  );
}

const isSameFile = async (a: string, b: string): Promise<boolean> =>
  (await realpath(a).catch(() => undefined)) === (await realpath(b));
