/** A labelled data set in memory, checked once. */
import { DataError } from '../core/errors.ts';
import { product } from '../core/shape.ts';

export interface DataSet {
  readonly rows: number;
  /** Shape of one row, e.g. [28, 28]. */
  readonly shape: readonly number[];
  /** (rows, ...shape) row-major. Bytes become `scale * byte + shift`; floats are taken as they are. */
  readonly features: Uint8Array | Float32Array;
  readonly scale: number;
  readonly shift: number;
  /** Class of each row, below `classes`; all 0 where there are targets. */
  readonly labels: Uint32Array;
  readonly classes: number;
  /** By label, where the data has names for its classes. */
  readonly classNames?: readonly string[];
  /** For regression: (rows, outputs) row-major. */
  readonly targets?: Float32Array;
}

export interface DataSetOptions {
  features: Uint8Array | Float32Array;
  shape: readonly number[];
  /** Class of each row; or else `targets`. */
  labels?: ArrayLike<number>;
  /** Regression targets, (rows, outputs) row-major. */
  targets?: Float32Array;
  /** Default: the largest label plus one. */
  classes?: number;
  /** For bytes; default 1 / 255. */
  scale?: number;
  /** For bytes; default 0. */
  shift?: number;
}

/** Checks sizes, labels and numbers. Throws `DataError` that names the first bad row. */
export function dataSet(options: DataSetOptions): DataSet {
  const { features, shape, targets, classes, scale = 1 / 255, shift = 0 } = options;
  const columns = product(shape);
  if (!(features instanceof Uint8Array) && !(features instanceof Float32Array)) {
    throw new DataError('data set: expected features to be a Uint8Array or a Float32Array');
  }
  if (!options.labels === !targets)
    throw new DataError('data set: expected either labels or targets, got both or neither');
  const rows = options.labels?.length ?? features.length / columns;
  if (rows === 0 || features.length !== rows * columns || (targets && targets.length % rows !== 0)) {
    throw new DataError(
      `data set: expected at least one row, ${columns} numbers a row (shape ${shape.join(' x ')}) and as many labels or targets; ` +
        `got ${features.length} numbers for ${rows} rows${targets ? ` and ${targets.length} targets` : ''}`,
    );
  }
  if (features instanceof Float32Array) checkFinite('features', features, columns);
  if (targets) checkFinite('targets', targets, targets.length / rows);
  const labels = checkLabels(options.labels ?? new Uint32Array(rows), classes);
  const largest = labels.reduce((a, b) => Math.max(a, b), 0);
  const common = { rows, shape: [...shape], features, scale, shift, labels, classes: classes ?? largest + 1 };
  return targets ? { ...common, targets } : common;
}

function checkFinite(what: string, values: Float32Array, columns: number): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const where = `row ${Math.floor(bad / columns)}, column ${bad % columns}`;
  throw new DataError(`data set: expected finite ${what}, got ${values[bad]} at ${where}. Clean or drop that row.`);
}

function checkLabels(labels: ArrayLike<number>, classes: number | undefined): Uint32Array {
  return Uint32Array.from(labels, (label, row) => {
    if (Number.isInteger(label) && label >= 0 && label < (classes ?? 2 ** 31)) return label;
    const range = classes === undefined ? '0 or more' : `0 to ${classes - 1}`;
    throw new DataError(`data set: expected labels to be integers, ${range}; got ${label} at row ${row}`);
  });
}

/** Numbers in one row. */
export const rowSize = (data: Pick<DataSet, 'shape'>): number => product(data.shape);

/** The first `count` rows, or all, without a copy. */
export function head(data: DataSet, count: number): DataSet {
  const rows = Math.min(count, data.rows);
  const { features, labels, targets } = data;
  return {
    ...data,
    rows,
    features: features.subarray(0, rows * rowSize(data)),
    labels: labels.subarray(0, rows),
    ...(targets && { targets: targets.subarray(0, (rows * targets.length) / data.rows) }),
  };
}

/** Rows as f32, bytes scaled and shifted: what a model is given. */
export function featuresAsFloats(data: DataSet): Float32Array<ArrayBuffer> {
  if (data.features instanceof Float32Array) return new Float32Array(data.features);
  return Float32Array.from(
    data.features,
    (byte) => Math.fround(byte * Math.fround(data.scale)) + Math.fround(data.shift),
  );
}
