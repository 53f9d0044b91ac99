/**
 * A training that can go on where it stopped, as a file: safetensors that holds the model's own file (`model`, U8) and the states of
 * the optimizer (F32); what was trained, and how, is in the metadata.
 */
import { ModelFileError } from '../core/errors.ts';
import type { Model } from '../model/model.ts';
import { readModel } from '../model/safetensors.ts';
import { saveModel } from '../model/save.ts';
import type { TrainingState } from './training.ts';

const FORMAT = 'weightless-checkpoint';

/** Headers longer than this are refused unread. */
const MOST_HEADER_BYTES = 2 ** 24;

export interface Checkpoint {
  readonly model: Model;
  readonly state: TrainingState;
  /** What the caller wrote with it: any value that JSON holds. */
  readonly note: unknown;
}

/** The checkpoint as a file. */
export function saveCheckpoint({ model, state, note }: Checkpoint): Uint8Array<ArrayBuffer> {
  const tensors: [name: string, dtype: string, shape: number[], bytes: Uint8Array][] = [];
  for (const [name, values] of state.optimizer) {
    tensors.push([name, 'F32', [values.length], new Uint8Array(values.slice().buffer)]);
  }
  const file = saveModel(model);
  tensors.push(['model', 'U8', [file.length], file]); // behind the others, which so stay aligned
  const header: Record<string, unknown> = {
    __metadata__: { format: FORMAT, epoch: String(state.epoch), note: JSON.stringify(note ?? null) },
  };
  let end = 0;
  for (const [name, dtype, shape, { length }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, end + length] };
    end += length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8;
  const out = new Uint8Array(8 + padded + end);
  new DataView(out.buffer).setBigUint64(0, BigInt(padded), true);
  out.fill(0x20, 8, 8 + padded);
  out.set(json, 8);
  let at = 8 + padded;
  for (const [, , , bytes] of tensors) {
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

const fail = (expected: string, got: unknown): never => {
  throw new ModelFileError(
    `checkpoint: expected ${expected}, got ${String(got)}. This is no checkpoint, or a damaged one.`,
  );
};

/** Reads a checkpoint. Throws `ModelFileError` that says what was expected and what came. */
export function readCheckpoint(bytes: Uint8Array): Checkpoint {
  if (bytes.length < 8) fail('8 bytes or more', bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const data = 8 + Number(view.getBigUint64(0, true));
  if (data > 8 + MOST_HEADER_BYTES || data > bytes.length) {
    fail('a header that fits into the file', `one of ${data - 8} bytes in ${bytes.length}`);
  }
  const header = record(json(new TextDecoder().decode(bytes.subarray(8, data)), 'its header'), 'its header');
  const metadata = record(header.__metadata__, 'its metadata');
  if (metadata.format !== FORMAT) fail(`the format '${FORMAT}'`, metadata.format);
  const epoch = Number(metadata.epoch);
  if (!Number.isSafeInteger(epoch) || epoch < 0) fail('a number of epochs', metadata.epoch);
  const optimizer = new Map<string, Float32Array<ArrayBuffer>>();
  let model: Model | undefined;
  let end = 0;
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, data_offsets } = record(entry, `tensor '${name}'`);
    const [from, to] = Array.isArray(data_offsets) ? (data_offsets as unknown[]) : [];
    // One behind the other, so that the file is as long as what is read of it.
    if (from !== end || !Number.isSafeInteger(to) || (to as number) < end || data + (to as number) > bytes.length) {
      fail(`tensor '${name}' to begin at ${end} and end within the file`, JSON.stringify(data_offsets));
    }
    const stored = new Uint8Array(bytes.subarray(data + end, data + (to as number))); // a copy, also of a Buffer
    end = to as number;
    if (name === 'model') {
      model = readModel(stored);
    } else {
      if (dtype !== 'F32' || stored.length % 4) fail(`tensor '${name}' as F32`, `${dtype} of ${stored.length} bytes`);
      optimizer.set(name, new Float32Array(stored.buffer));
    }
  }
  if (data + end !== bytes.length) fail(`${data + end} bytes`, bytes.length);
  return {
    model: model ?? fail("a tensor 'model'", 'none'),
    state: { epoch, optimizer },
    note: json(metadata.note, 'its note'),
  };
}

function json(text: unknown, what: string): unknown {
  try {
    // An object whose toString is no function can't be shown in a message.
    return JSON.parse(String(text), (key, value) => (key === 'toString' ? JSON.parse('') : value));
  } catch {
    return fail(`${what} to be JSON`, 'something else');
  }
}

function record(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  return fail(`${what} to be an object`, JSON.stringify(value));
}
