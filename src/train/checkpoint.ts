/**
 * A training that can go on where it stopped, as a file: safetensors that holds the model's own file (`model`, U8), with early stopping
 * that of the best epoch (`best model`, U8), and the states of the optimizer (F32); what was trained, and how, is in the metadata.
 */
import { toBytes } from '../core/arrays.ts';
import { ModelFileError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import { expectWhole, parseJson, readContainer } from '../model/container.ts';
import { fileLimits } from '../model/limits.ts';
import type { Model } from '../model/model.ts';
import { readModel } from '../model/safetensors.ts';
import { saveModel } from '../model/save.ts';
import { writeContainer } from '../model/write-container.ts';
import type { TrainingState } from './training.ts';

const FORMAT = 'weightless-checkpoint';

/** The tensor that holds the model of the best epoch, where the training has early stopping. */
const BEST = 'best model';

export interface Checkpoint {
  readonly model: Model;
  readonly state: TrainingState;
  /** What the caller wrote with it: any value that JSON holds. */
  readonly note: unknown;
}

/** The checkpoint as a file. */
export function saveCheckpoint(checkpoint: Checkpoint): Uint8Array<ArrayBuffer> {
  expectOptions('saveCheckpoint', checkpoint, { model: 'object', state: 'object', note: 'any' }, ['model', 'state']);
  const { model, state, note } = checkpoint;
  const states = [...state.optimizer].map(
    ([name, values]) => [name, 'F32', [values.length], new Uint8Array(values.slice().buffer)] as const,
  );
  const file = saveModel(model);
  const { best } = state;
  const bestFile = best && saveModel({ ...model, parameters: new Map(best.parameters) });
  const metadata = {
    format: FORMAT,
    epoch: String(state.epoch),
    note: JSON.stringify(note ?? null),
    ...(best && { best: JSON.stringify({ epoch: best.epoch, loss: best.loss }) }),
  };
  return writeContainer(metadata, [
    ...states, // first: they stay aligned
    ['model', 'U8', [file.length], file],
    ...(bestFile ? [[BEST, 'U8', [bestFile.length], bestFile] as const] : []),
  ]);
}

const fail = (expected: string, got: unknown): never => {
  throw new ModelFileError(
    `checkpoint: expected ${expected}, got ${quoted(got)}. This is not a checkpoint, or it is damaged.`,
  );
};

/** Reads a checkpoint. Throws `ModelFileError` that says what was expected and what came. */
export function readCheckpoint(file: ArrayBuffer | ArrayBufferView): Checkpoint {
  const bytes = toBytes(file);
  const container = readContainer('checkpoint', bytes, fileLimits.checkpointHeaderBytes);
  expectWhole('checkpoint', container, bytes.length);
  const { metadata = {}, tensors } = container;
  if (metadata.format !== FORMAT) fail(`the format '${FORMAT}'`, metadata.format);
  const epoch = typeof metadata.epoch === 'string' ? Number(metadata.epoch) : Number.NaN;
  if (!Number.isSafeInteger(epoch) || epoch < 0) fail('a number of epochs', metadata.epoch);
  const optimizer = new Map<string, Float32Array<ArrayBuffer>>();
  let model: Model | undefined;
  let best: Model | undefined;
  for (const [name, { dtype, from, to }] of tensors) {
    const stored = new Uint8Array(bytes.subarray(from, to)); // a copy, also of a Buffer
    if (name === 'model') model = readModel(stored);
    else if (name === BEST) best = readModel(stored);
    else if (dtype !== 'F32' || stored.length % 4)
      fail(`tensor ${quoted(name)} as F32`, `${dtype}, ${stored.length} bytes`);
    else optimizer.set(name, new Float32Array(stored.buffer));
  }
  return {
    model: model ?? fail("a tensor 'model'", 'none'),
    state: { epoch, optimizer, ...(best && { best: { ...bestOf(metadata.best), parameters: best.parameters } }) },
    note: parseJson('checkpoint', 'its note', metadata.note, fileLimits.dataMarks),
  };
}

/** Number and validation loss of the best epoch. */
function bestOf(text: unknown): { epoch: number; loss: number } {
  const { epoch, loss } = (parseJson('checkpoint', 'its best epoch', text) ?? {}) as Record<string, unknown>;
  if (!Number.isSafeInteger(epoch) || (epoch as number) < 1 || !Number.isFinite(loss)) {
    fail('number and loss of the best epoch', text);
  }
  return { epoch: epoch as number, loss: loss as number };
}
