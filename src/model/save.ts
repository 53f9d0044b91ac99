/** Writes model files; safetensors.ts reads them and describes the format. */
import { ModelFileError, OptionError } from '../core/errors.ts';
import { halfBits, halfValue, LARGEST_HALF } from '../core/float16.ts';
import { expectOptions } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import { expectModel } from './expect-model.ts';
import { metadataOf, ownNames } from './metadata.ts';
import { type Model, modelParameters } from './model.ts';
import { bytesOf, type StoredType } from './safetensors.ts';
import { writeContainer } from './write-container.ts';

export interface SaveOptions {
  /**
   * Default F32, which keeps every bit. F16 takes half the bytes and rounds to 11 significant bits, except for
   * vectors with large numbers, such as a bias of 1000.3: those stay F32. I8 takes about a
   * quarter: matrices become integers from -127 to 127 with one F32 scale per column (the tensor NAME.scale), with an
   * error of at most half a scale; everything else is as with F16.
   */
  dtype?: StoredType;
  /**
   * Texts to add to the metadata of the file, such as `{ author: 'Ada' }`; `readModel` gives them back as `model.metadata`.
   * The names that the format uses itself are refused.
   */
  metadata?: Readonly<Record<string, string>>;
}

/** Names that only preparation-metadata.ts writes, and `classes`, which earlier releases wrote. */
const takenNames: readonly string[] = [...ownNames, 'preparation', 'card', 'classes'];

function expectFree(metadata: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(metadata)) {
    if (takenNames.includes(name)) {
      throw new OptionError(
        `saveModel: expected names in metadata that the format does not use itself, got '${name}'. Rename it.`,
      );
    }
    if (typeof value !== 'string') {
      throw new OptionError(
        `saveModel: expected texts in metadata, got ${quoted(value)} for ${quoted(name)}. Use JSON.stringify.`,
      );
    }
  }
}

const writers: Record<StoredType, (view: DataView, at: number, value: number) => void> = {
  F32: (view, at, value) => view.setFloat32(at, value, true),
  F16: (view, at, value) => view.setUint16(at, halfBits(value), true),
  I8: (view, at, value) => view.setInt8(at, value),
};

interface Stored {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: StoredType;
  readonly values: Float32Array;
}

/** A matrix in I8: integers, and the scale of each column. */
export function quantised(values: Float32Array, columns: number): { integers: Float32Array; scale: Float32Array } {
  const scale = new Float32Array(columns);
  for (const [i, value] of values.entries()) {
    scale[i % columns] = Math.max(scale[i % columns]!, Math.abs(value) / 127);
  }
  return { integers: values.map((value, i) => Math.round(value / (scale[i % columns] || 1))), scale };
}

/**
 * The model as a file, with its metadata. Throws `ModelFileError` if a number is too large for F16, and `OptionError`
 * for unknown options.
 */
export function saveModel(model: Model, options: SaveOptions = {}): Uint8Array<ArrayBuffer> {
  expectOptions('saveModel', options, { dtype: Object.keys(writers), metadata: 'object' });
  const { dtype = 'F32', metadata = {} } = options;
  expectFree(metadata);
  expectModel(model);
  const stored = modelParameters(model).flatMap(({ name, shape }): Stored[] => {
    const values = model.parameters.get(name)!;
    if (dtype === 'F32') return [{ name, shape, dtype, values }];
    const columns = shape.at(-1)!;
    if (shape.length < 2) return [{ name, shape, dtype: typeOfVector(values), values }];
    if (dtype === 'F16') return [{ name, shape, dtype, values }];
    const { integers, scale } = quantised(values, columns);
    return [
      { name, shape, dtype, values: integers },
      { name: `${name}.scale`, shape: [columns], dtype: 'F32', values: scale },
    ];
  });
  return writeContainer(
    metadataOf({ ...model, metadata: { ...model.metadata, ...metadata } }),
    stored.map(({ name, shape, dtype, values }) => [name, dtype, shape, encoded(dtype, values)] as const),
  );
}

/** How far F16 may move a number of a vector: scores that differ by less are nearly equal. */
const MOVED = 1 / 64;

/** F16, or F32 for a vector such as a bias with large numbers, which F16 would move by more than scores differ. */
const typeOfVector = (values: Float32Array): StoredType =>
  values.every((value) => Math.abs(value) <= LARGEST_HALF && Math.abs(halfValue(halfBits(value)) - value) <= MOVED)
    ? 'F16'
    : 'F32';

function encoded(dtype: StoredType, values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(bytesOf(dtype) * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) {
    if (dtype === 'F16' && Math.abs(value) > LARGEST_HALF) {
      throw new ModelFileError(
        `model file: expected numbers of at most ${LARGEST_HALF} for F16, got ${value}. Save as F32.`,
      );
    }
    writers[dtype](view, i * bytesOf(dtype), value);
  }
  return bytes;
}
