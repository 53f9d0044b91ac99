/** A labelled data set in memory, checked once. */
import { arrayType, BYTE_SCALE, bytesToFloats, toFeatures, toFloat32Array, toUint32Array } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import { expectOptions, typeName } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import { product } from '../core/shape.ts';
import { type Preparation, preparedSize } from '../model/preparation.ts';
import { expectPreparation } from '../model/preparation-metadata.ts';

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
  /** How raw data became these rows, and what the outputs of a model mean; `fit` puts it into the model. */
  readonly preparation?: Preparation;
  /** For regression: (rows, outputs) row-major. */
  readonly targets?: Float32Array;
  /** A hash of each row as it came, where the rows were scaled by what the others hold: decides its part in a split. */
  readonly keys?: Uint32Array;
}

export interface DataSetOptions {
  /**
   * (rows, ...shape) row-major. A Uint8Array is scaled by `scale` and `shift`; other numbers are taken as they are, as
   * f32.
   */
  features: ArrayLike<number>;
  /** Shape of one row, e.g. [28, 28]. */
  shape: readonly number[];
  /** Class of each row; or else `targets`. */
  labels?: ArrayLike<number>;
  /** Regression targets, (rows, outputs) row-major, as f32. */
  targets?: ArrayLike<number>;
  /** Default: the number of `classNames`, or else the largest label plus one. */
  classes?: number;
  /** Names of the classes, by label: `fit` puts them into the model, and its file keeps them. */
  classNames?: readonly string[];
  /** How raw data became these rows, where there is more to say than `classNames`: a model with it predicts from raw data. */
  preparation?: Preparation;
  /** For bytes; default 1 / 255. */
  scale?: number;
  /** For bytes; default 0. */
  shift?: number;
}

/**
 * Checks option names, array types, sizes, labels and numbers. Throws `OptionError` for an unknown option or one of the
 * wrong type, and `DataError` that names the first bad row.
 */
export function dataSet(options: DataSetOptions): DataSet {
  expectOptions('dataSet', options, {
    features: 'any',
    shape: 'array',
    labels: 'any',
    targets: 'any',
    classes: 'number',
    classNames: 'array',
    preparation: 'object',
    scale: 'number',
    shift: 'number',
  });
  const { shape, scale = BYTE_SCALE, shift = 0 } = options;
  const preparation = options.preparation ? readable(options.preparation, shape) : namedClasses(options);
  const classes = options.classes ?? (preparation && classNamesOf({ preparation })?.length);
  if (!shape?.length || !shape.every((size) => Number.isSafeInteger(size) && size > 0)) {
    throw new DataError(`dataSet: expected shape to be the sizes of one row, such as [28, 28]; got [${shape ?? ''}]`);
  }
  if (classes !== undefined && !(Number.isSafeInteger(classes) && classes > 0)) {
    throw new DataError(`dataSet: expected classes to be an integer of 1 or more, got ${classes}`);
  }
  const named = options.classNames?.length;
  if (named !== undefined && named !== classes) {
    throw new DataError(`dataSet: expected as many classNames as classes (${classes}), got ${named}`);
  }
  if (!Number.isFinite(scale) || !Number.isFinite(shift)) {
    throw new DataError(`dataSet: expected scale and shift to be finite, got ${scale} and ${shift}`);
  }
  if (!options.labels === !options.targets) {
    throw new DataError('dataSet: expected either labels or targets, got both or neither');
  }
  const features = toFeatures('dataSet: features', options.features);
  const targets = options.targets && toFloat32Array('dataSet: targets', options.targets);
  const columns = product(shape);
  const rows = options.labels?.length ?? features.length / columns;
  const whole = Number.isInteger(rows) && rows > 0 && features.length === rows * columns;
  if (!whole || (targets && (targets.length === 0 || targets.length % rows !== 0))) {
    throw new DataError(
      `dataSet: expected at least one row, ${columns} numbers a row (shape ${shape.join(' x ')}) and as many labels or targets; ` +
        `got ${features.length} numbers for ${rows} rows${targets ? ` and ${targets.length} targets` : ''}`,
    );
  }
  if (features instanceof Float32Array) checkFinite('features', features, columns);
  if (targets) checkFinite('targets', targets, targets.length / rows);
  const labels = toUint32Array('dataSet: labels', options.labels ?? new Uint32Array(rows), {
    place: 'row',
    ...(classes && { end: classes }),
  });
  const largest = labels.reduce((a, b) => Math.max(a, b), 0);
  return {
    rows,
    shape: [...shape],
    features,
    scale,
    shift,
    labels,
    classes: classes ?? largest + 1,
    ...(targets && { targets }),
    ...(preparation && { preparation }),
  };
}

/** The preparation, if a model file can hold it and it makes rows of this shape. Throws `DataError`. */
function readable(given: Preparation, shape: readonly number[]): Preparation {
  const { inputs } = expectPreparation('dataSet', given);
  const size = preparedSize(inputs);
  if (size === undefined || size === product(shape)) return given;
  throw new DataError(`dataSet: expected a preparation of ${product(shape)} numbers a row (shape), got one of ${size}`);
}

/** Throws `DataError` for what is no data set; `what` opens the message. */
export function expectDataSet(what: string, data: DataSet): void {
  if (Number.isSafeInteger(data?.rows) && Array.isArray(data.shape) && data.features && data.labels) return;
  throw new DataError(`${what}: expected data as dataSet() makes it, got ${typeName(data)}`);
}

/** The preparation of rows whose classes have names; bytes that look like pictures are pictures. */
function namedClasses(options: DataSetOptions): Preparation | undefined {
  const { classNames, features, shape, scale = BYTE_SCALE, shift = 0 } = options;
  if (!classNames) return undefined;
  const names = Array.from(classNames); // an empty place is no text
  if (!names.length || names.some((name, i) => typeof name !== 'string' || names.indexOf(name) < i)) {
    throw new DataError(`dataSet: expected classNames to be different texts, got ${quoted(classNames)}`);
  }
  const outputs = { task: 'classification', classes: [...classNames] } as const;
  const [height, width, channels = 1] = shape;
  const isPicture = arrayType(features) === 'Uint8Array' && (shape.length === 2 || shape.length === 3);
  if (!isPicture || (channels !== 1 && channels !== 3)) return { inputs: { kind: 'numbers' }, outputs };
  const size = { height: height!, width: width!, channels } as const;
  return { inputs: { kind: 'image', ...size, scale, shift, fit: 'stretch', invert: false }, outputs };
}

/** Names of the classes by label, where the data has any. */
export const classNamesOf = ({ preparation }: Pick<DataSet, 'preparation'>): readonly string[] | undefined =>
  preparation?.outputs.task === 'classification' ? preparation.outputs.classes : undefined;

function checkFinite(what: string, values: Float32Array, columns: number): void {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return;
  const where = `row ${Math.floor(bad / columns)}, column ${bad % columns}`;
  throw new DataError(`dataSet: expected finite ${what}, got ${values[bad]} at ${where}. Correct or drop that row.`);
}

/** Numbers in one row. */
export const rowSize = (data: Pick<DataSet, 'shape'>): number => product(data.shape);

/** The first `count` rows, or all of them if there are fewer, without a copy. */
export function head(data: DataSet, count: number): DataSet {
  const rows = Math.min(count, data.rows);
  const { features, labels, targets, keys } = data;
  return {
    ...data,
    rows,
    features: features.subarray(0, rows * rowSize(data)),
    labels: labels.subarray(0, rows),
    ...(targets && { targets: targets.subarray(0, (rows * targets.length) / data.rows) }),
    ...(keys && { keys: keys.subarray(0, rows) }),
  };
}

/** A copy of the rows as f32, bytes scaled and shifted: the input of a model. */
export const featuresAsFloats = ({ features, scale, shift }: DataSet): Float32Array<ArrayBuffer> =>
  features instanceof Float32Array ? new Float32Array(features) : bytesToFloats(features, scale, shift);
