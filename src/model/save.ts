/** Writes model files; safetensors.ts reads them and says what they are. */
import { ModelFileError } from '../core/errors.ts';
import { halfBits, LARGEST_HALF } from '../core/float16.ts';
import { product } from '../core/shape.ts';
import { STREAM_VERSION } from '../weights/stream.ts';
import { type Model, modelParameters } from './model.ts';
import { bytesOf, FORMAT_VERSION, type StoredType } from './safetensors.ts';

export interface SaveOptions {
  /**
   * Default F32, which keeps every bit. F16 takes half the bytes and rounds to 11 significant bits. I8 takes about a quarter: matrices
   * become integers from -127 to 127 with one F32 scale a column (the tensor NAME.scale), each number off by at most half of it; the
   * rest is F16.
   */
  dtype?: StoredType;
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

/** What stands in a file for a matrix in I8: integers, and what each column of them is multiplied by. */
function quantised(values: Float32Array, columns: number): { integers: Float32Array; scale: Float32Array } {
  const scale = new Float32Array(columns);
  for (const [i, value] of values.entries()) {
    scale[i % columns] = Math.max(scale[i % columns]!, Math.abs(value) / 127);
  }
  return { integers: values.map((value, i) => Math.round(value / (scale[i % columns] || 1))), scale };
}

/** The model as a file. Throws `ModelFileError` where a number is too large for F16. */
export function saveModel(model: Model, { dtype = 'F32' }: SaveOptions = {}): Uint8Array<ArrayBuffer> {
  const stored = modelParameters(model).flatMap(({ name, shape }): Stored[] => {
    const values = model.parameters.get(name)!;
    if (dtype !== 'I8') return [{ name, shape, dtype, values }];
    const columns = shape.at(-1)!;
    if (shape.length < 2) return [{ name, shape, dtype: 'F16', values }];
    const { integers, scale } = quantised(values, columns);
    return [
      { name, shape, dtype, values: integers },
      { name: `${name}.scale`, shape: [columns], dtype: 'F32', values: scale },
    ];
  });
  const header: Record<string, unknown> = {
    __metadata__: {
      format: 'weightless',
      format_version: String(FORMAT_VERSION),
      stream_version: String(STREAM_VERSION),
      seed: String(model.seed),
      input: JSON.stringify(model.input),
      layers: JSON.stringify(model.layers),
    },
  };
  let offset = 0;
  for (const { name, shape, dtype } of stored) {
    const bytes = bytesOf(dtype) * product(shape);
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8; // data starts aligned, as the format asks; spaces fill up
  const file = new Uint8Array(8 + padded + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.fill(0x20, 8, 8 + padded);
  file.set(json, 8);
  const view = new DataView(file.buffer, 8 + padded);
  let at = 0;
  for (const { dtype, values } of stored) {
    for (const value of values) {
      if (dtype === 'F16' && Math.abs(value) > LARGEST_HALF) {
        throw new ModelFileError(
          `model file: expected numbers of at most ${LARGEST_HALF} for F16, got ${value}. Save as F32.`,
        );
      }
      writers[dtype](view, at, value);
      at += bytesOf(dtype);
    }
  }
  return file;
}
