/** Subsets of a data set. */
import { DataError } from '../core/errors.ts';
import { philox4x32, type Seed } from '../weights/stream.ts';
import { crc32 } from './crc32.ts';
import { type DataSet, rowSize } from './dataset.ts';
import { drawRows } from './stratify.ts';

/** Rows `from` to `to` (half-open), without a copy. */
export function rowsOf(data: DataSet, from: number, to: number): DataSet {
  const { features, labels, targets, keys, rows } = data;
  const size = rowSize(data);
  const outputs = (targets?.length ?? 0) / rows;
  return {
    ...data,
    rows: to - from,
    features: features.subarray(from * size, to * size),
    labels: labels.subarray(from, to),
    ...(targets && { targets: targets.subarray(from * outputs, to * outputs) }),
    ...(keys && { keys: keys.subarray(from, to) }),
  };
}

/** Separates the draw of held-out rows from every other use of Philox. */
const HELD_OUT = 3;

/**
 * Holds out `count` rows for validation; both parts keep the order of the data. Rows are drawn by row number alone, so
 * the draw is the same at every call and for every seed; it covers all of the data, which may be sorted by class.
 * Throws `DataError` if no row would be left.
 */
export function holdOut(data: DataSet, count: number): { train: DataSet; validation: DataSet } {
  if (!Number.isSafeInteger(count) || count < 1 || count >= data.rows) {
    throw new DataError(`validation: expected 1 to ${data.rows - 1} of the ${data.rows} training rows, got ${count}`);
  }
  const words = Uint32Array.from({ length: data.rows }, (_, row) => philox4x32([row, 0, HELD_OUT, 1], [0, 0])[0]);
  const drawn = Array.from(words, (_, row) => row).sort((a, b) => words[a]! - words[b]! || a - b);
  return {
    train: picked(
      data,
      drawn.slice(count).sort((a, b) => a - b),
    ),
    validation: picked(
      data,
      drawn.slice(0, count).sort((a, b) => a - b),
    ),
  };
}

/**
 * Holds out about `share` of the rows for validation, by the content of a row and the seed alone (`drawRows`): a row stays
 * in its part when others are added. Both parts keep the order of the data. Throws `DataError` if no row would be left, or
 * none held out.
 */
export function splitByContent(
  data: DataSet,
  { share, seed = 0 }: { share: number; seed?: Seed },
): { train: DataSet; validation: DataSet } {
  if (!(share > 0 && share < 1)) throw new DataError(`validation: expected a share between 0 and 1, got ${share}`);
  const drawn = drawRows(data.keys ?? contentsOf(data), data.labels, { share, seed, draw: 'validation' });
  if (!drawn.includes(true)) {
    throw new DataError(
      `validation: expected two rows or more of some class, so that some can be held out; got ${data.rows} rows. Add rows.`,
    );
  }
  const rows = [...drawn.keys()];
  return {
    train: picked(
      data,
      rows.filter((row) => !drawn[row]),
    ),
    validation: picked(
      data,
      rows.filter((row) => drawn[row]),
    ),
  };
}

/** A hash of each row: its features, label and targets. */
function contentsOf(data: DataSet): Uint32Array {
  const { features, labels, targets, rows } = data;
  const size = rowSize(data);
  const outputs = (targets?.length ?? 0) / rows;
  const bytesOf = (values: Uint8Array | Float32Array | Uint32Array, width: number, row: number) => {
    const own = values.subarray(row * width, (row + 1) * width);
    return new Uint8Array(own.buffer, own.byteOffset, own.byteLength);
  };
  return Uint32Array.from({ length: rows }, (_, row) => {
    const hash = crc32(bytesOf(features, size, row)) ^ Math.imul(labels[row]! + 1, 0x9e3779b1);
    return (targets ? hash ^ crc32(bytesOf(targets, outputs, row)) : hash) >>> 0;
  });
}

/** A copy of these rows, in this order. */
export function picked(data: DataSet, rows: ArrayLike<number> & Iterable<number>): DataSet {
  const { features, labels, targets, keys } = data;
  const size = rowSize(data);
  const outputs = (targets?.length ?? 0) / data.rows;
  const copy = <T extends Uint8Array | Float32Array>(all: T, width: number): T => {
    const own = new (all.constructor as new (length: number) => T)(rows.length * width);
    for (let i = 0; i < rows.length; i++) own.set(all.subarray(rows[i]! * width, (rows[i]! + 1) * width), i * width);
    return own;
  };
  return {
    ...data,
    rows: rows.length,
    features: copy(features, size),
    labels: Uint32Array.from(rows, (row) => labels[row]!),
    ...(targets && { targets: copy(targets, outputs) }),
    ...(keys && { keys: Uint32Array.from(rows, (row) => keys[row]!) }),
  };
}
