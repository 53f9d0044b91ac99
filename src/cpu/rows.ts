/** Rows of a data set as it lies, to be copied into batches. */
import { type DataSet, rowSize } from '../data/dataset.ts';

/** Copies row `index` to position `at` of `to`. */
export type CopyRow = (index: number, to: Float32Array | Uint32Array, at: number) => void;

/** Rows of features: bytes become scale * byte + shift, each operation rounded to f32 as on a GPU. */
export function featureRows(data: DataSet): CopyRow {
  const columns = rowSize(data);
  const { features } = data;
  const row = (index: number) => features.subarray(index * columns, (index + 1) * columns);
  if (features instanceof Float32Array) return (index, to, at) => to.set(row(index), at);
  const values = Float32Array.from({ length: 256 }, (_, byte) => {
    return Math.fround(byte * Math.fround(data.scale)) + Math.fround(data.shift);
  });
  return (index, to, at) => {
    const bytes = row(index);
    for (let i = 0; i < columns; i++) to[at + i] = values[bytes[i]!]!;
  };
}

/** Labels or targets. */
export function targetRows(data: DataSet): CopyRow {
  const { targets, labels, rows } = data;
  if (!targets) return (index, to, at) => to.fill(labels[index]!, at, at + 1);
  const columns = targets.length / rows;
  return (index, to, at) => to.set(targets.subarray(index * columns, (index + 1) * columns), at);
}
