/** Checks at the border between another library's arrays and the bindings of an operation: type, shape, numbers. */
import {
  type DistributionName,
  elementwiseNames,
  type OperationBinding,
  type Seed,
  ShapeError,
  unitKeys,
  WeightlessError,
} from '../ops.ts';

/** The options that select a random matrix, for `expectOptions`; `expectRandom` checks their values. */
export const randomOptions = { weights: 'any', seed: 'any', tensor: 'any' } as const;

/** Throws `ShapeError` for an unknown distribution, `RangeError` for a seed or a tensor number out of range. */
export function expectRandom(
  what: string,
  { weights = 'normal', seed = 0, tensor = 0 }: { weights?: DistributionName; seed?: Seed; tensor?: number },
  names: readonly string[] = [...elementwiseNames, 'orthogonal'],
): void {
  if (!names.includes(weights)) {
    throw new ShapeError(`${what}: expected weights to be one of ${names.join(', ')}; got '${String(weights)}'`);
  }
  unitKeys(seed, tensor, 0);
}

/** Throws `ShapeError` for a size that is no integer of 1 or more. */
export function expectSizes(what: string, sizes: Readonly<Record<string, number>>): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (Number.isSafeInteger(size) && size >= 1) continue;
    throw new ShapeError(`${what}: expected ${name} of 1 or more, got ${String(size)}`);
  }
}

/**
 * Throws `ShapeError` unless an array fits a binding: as many elements, and the same last size. The other axes may be split
 * or merged, because that leaves the order of a row-major array alone.
 */
export function expectShape(
  what: string,
  name: string,
  shape: readonly number[],
  { shape: expected }: Pick<OperationBinding, 'shape'>,
): void {
  const count = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);
  if (count(shape) === count(expected) && (shape.at(-1) ?? 1) === (expected.at(-1) ?? 1)) return;
  throw new ShapeError(`${what}: expected '${name}' of shape (${expected.join(', ')}), got (${shape.join(', ')})`);
}

/** The binding of an input. Throws `ShapeError` where the operation reads nothing of that name. */
export function inputBinding(
  what: string,
  name: string,
  bindings: Readonly<Record<string, OperationBinding>>,
): OperationBinding {
  const binding = Object.hasOwn(bindings, name) ? bindings[name] : undefined;
  if (binding?.access === 'read') return binding;
  const names = Object.keys(bindings).filter((key) => bindings[key]!.access === 'read');
  throw new ShapeError(`${what}: expected inputs ${names.join(', ')}; got one called '${name}'`);
}

/** `count` numbers as a Float32Array of their own. Throws `ShapeError` for another length or what holds no numbers. */
export function float32(
  what: string,
  name: string,
  values: ArrayLike<number>,
  count: number,
): Float32Array<ArrayBuffer> {
  const numeric = Array.isArray(values) || (ArrayBuffer.isView(values) && 'length' in values);
  if (!numeric || values.length !== count) {
    const got = numeric ? `${values.length}` : String(values);
    throw new ShapeError(`${what}: expected ${count} numbers of ${name}, one for each unit, got ${got}`);
  }
  const made = Float32Array.from(values, Number);
  const bad = made.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return made;
  throw new ShapeError(
    `${what}: expected finite numbers of ${name} within the range of f32, got ${values[bad]} at ${bad}`,
  );
}

/** The error for an array that its library has freed. */
export const disposed = (what: string, name: string): WeightlessError =>
  new WeightlessError(`${what}: expected '${name}' in use, got one that was disposed. Keep it until the call returns.`);
