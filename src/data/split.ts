/** Parts of a data set, without a copy. */
import { DataError } from '../errors.ts';
import { type DataSet, rowSize } from './dataset.ts';

/** Rows `from` to `to` (half-open). */
export function rowsOf(data: DataSet, from: number, to: number): DataSet {
  const { features, labels, targets, rows } = data;
  const size = rowSize(data);
  const outputs = (targets?.length ?? 0) / rows;
  return {
    ...data,
    rows: to - from,
    features: features.subarray(from * size, to * size),
    labels: labels.subarray(from, to),
    ...(targets && { targets: targets.subarray(from * outputs, to * outputs) }),
  };
}

/** The last `count` rows apart from those before them. Throws `DataError` where nothing would be left. */
export function holdOut(data: DataSet, count: number): { train: DataSet; validation: DataSet } {
  if (!Number.isSafeInteger(count) || count < 1 || count >= data.rows) {
    throw new DataError(`validation: expected 1 to ${data.rows - 1} of the ${data.rows} training rows, got ${count}`);
  }
  const cut = data.rows - count;
  return { train: rowsOf(data, 0, cut), validation: rowsOf(data, cut, data.rows) };
}
