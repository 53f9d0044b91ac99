/**
 * The state of a learner as a file: safetensors with the sums in F64, the upper triangle of the products row by row,
 * and the model's own file (`model`, U8). Its size follows from the model and the number of classes alone.
 */
import { toBytes } from '../core/arrays.ts';
import { ModelFileError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { expectWhole, parseJson, readContainer } from '../model/container.ts';
import { fileLimits, type ModelLimits } from '../model/limits.ts';
import type { Model } from '../model/model.ts';
import { readModel } from '../model/safetensors.ts';
import { saveModel } from '../model/save.ts';
import { writeContainer } from '../model/write-container.ts';
import { ClassMoments } from '../solve/class-moments.ts';
import { baseOf, type LearnerBase } from './learner-base.ts';

const WHAT = 'learner state';
const FORMAT = 'weightless-learner';
const VERSION = '1';

export interface LearnerState {
  readonly base: LearnerBase;
  readonly classes: readonly string[];
  readonly moments: ClassMoments;
}

const triangle = (columns: number) => (columns * (columns + 1)) / 2;

export function writeLearner({ base, classes, moments }: LearnerState): Uint8Array<ArrayBuffer> {
  const { columns, products, sums, counts } = moments;
  const packed = new Float64Array(triangle(columns));
  for (let i = 0, at = 0; i < columns; at += columns - i, i++) packed.set(products.row(i).subarray(i), at);
  const model = saveModel(base.model);
  const all = new Float64Array(columns * sums.length);
  for (const [k, sum] of sums.entries()) all.set(sum, k * columns);
  return writeContainer({ format: FORMAT, version: VERSION, classes: JSON.stringify(classes) }, [
    ['products', 'F64', [packed.length], new Uint8Array(packed.buffer)],
    ['sums', 'F64', [sums.length, columns], new Uint8Array(all.buffer)],
    ['counts', 'F64', [counts.length], new Uint8Array(Float64Array.from(counts).buffer)],
    ['model', 'U8', [model.length], model],
  ]);
}

function fail(expected: string, got: unknown): never {
  throw new ModelFileError(
    `${WHAT}: expected ${expected}, got ${got === undefined ? 'nothing' : quoted(got)}. This is no learner's state, or it is damaged.`,
  );
}

/** `read` reads the model, and may load what it needs. Throws `ModelFileError`, `OutOfMemoryError`. */
export async function readLearner(
  file: ArrayBuffer | ArrayBufferView,
  limits: ModelLimits | undefined,
  read: (model: () => Model) => Promise<Model>,
): Promise<LearnerState> {
  const bytes = toBytes(file);
  const container = readContainer(WHAT, bytes, fileLimits.headerBytes);
  expectWhole(WHAT, container, bytes.length);
  const { metadata = {}, tensors } = container;
  if (metadata.format !== FORMAT) fail(`the format '${FORMAT}'`, metadata.format);
  if (metadata.version !== VERSION) fail(`version ${VERSION}`, metadata.version);
  const classes = namesIn(parseJson(WHAT, 'metadata.classes', metadata.classes));
  const known = ['products', 'sums', 'counts', 'model'];
  const unknown = [...tensors.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) fail(`the tensors ${known.join(', ')} alone`, unknown);
  const stored = (name: string, dtype: string): Uint8Array<ArrayBuffer> => {
    const tensor = tensors.get(name);
    if (tensor?.dtype !== dtype) return fail(`a tensor '${name}' as ${dtype}`, tensor?.dtype);
    return bytes.slice(tensor.from, tensor.to) as Uint8Array<ArrayBuffer>;
  };
  const model = await read(() => readModel(stored('model', 'U8'), { ...(limits && { limits }) }));
  const base = baseOf(model);
  const { columns } = base;
  const numbers = (name: string, shape: readonly number[]): Float64Array<ArrayBuffer> => {
    const values = stored(name, 'F64');
    const count = shape.reduce((a, b) => a * b, 1);
    if (JSON.stringify(tensors.get(name)!.shape) !== JSON.stringify(shape) || values.length !== 8 * count) {
      fail(`tensor '${name}' of shape [${shape}]`, tensors.get(name)!.shape);
    }
    const found = new Float64Array(values.buffer);
    const bad = found.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) fail(`finite numbers in '${name}'`, found[bad]);
    return found;
  };
  const products = numbers('products', [triangle(columns)]);
  const sums = numbers('sums', [classes.length, columns]);
  const counts = numbers('counts', [classes.length]);
  const odd = counts.find((count) => !Number.isSafeInteger(count) || count < 0);
  if (odd !== undefined) fail('numbers of examples', odd);
  const moments = await ClassMoments.zeros(columns);
  for (let i = 0, at = 0; i < columns; at += columns - i, i++) {
    moments.products
      .row(i)
      .subarray(i)
      .set(products.subarray(at, at + columns - i));
  }
  for (const [k, count] of counts.entries()) {
    moments.addClass();
    moments.sums[k]!.set(sums.subarray(k * columns, (k + 1) * columns));
    moments.counts[k] = count;
  }
  return { base, classes, moments };
}

function namesIn(value: unknown): readonly string[] {
  const names = Array.isArray(value) ? value : fail('a list of classes', value);
  const wrong = names.find((name, i) => typeof name !== 'string' || !name || names.indexOf(name) !== i);
  return wrong === undefined ? names : fail('names of classes that differ', wrong);
}
