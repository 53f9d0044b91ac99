/**
 * Arrays as callers hand them in, turned into the types that the backends compute with. Every public function takes its
 * arrays through this module: a backend copies bytes, so an array of another type would be read as nonsense.
 */
import { DataError } from './errors.ts';

type ErrorClass = new (message: string) => Error;

/** 'Float32Array', 'Array', 'string' and so on. Also right for arrays of another realm: an iframe, jsdom. */
export function arrayType(values: unknown): string {
  if (ArrayBuffer.isView(values)) return (values as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag];
  return Array.isArray(values) ? 'Array' : values === null ? 'null' : typeof values;
}

/** Throws `Failure` unless `values` is an array of numbers. */
function expectNumbers(what: string, values: unknown, Failure: ErrorClass): asserts values is ArrayLike<number> {
  const type = arrayType(values);
  if (type === 'Uint8ClampedArray') {
    throw new Failure(
      `${what}: expected numbers, got a Uint8ClampedArray, as getImageData returns it: four bytes for each pixel. ` +
        'Copy the channels that you need into an array of their own.',
    );
  }
  const length = (values as ArrayLike<number> | null | undefined)?.length;
  const usable = ArrayBuffer.isView(values)
    ? /^(Float(16|32|64)|U?[Ii]nt(8|16|32))Array$/.test(type)
    : typeof values === 'object' && Number.isSafeInteger(length);
  if (!usable) {
    throw new Failure(`${what}: expected a Float32Array or another array of numbers, got ${type}. Convert it first.`);
  }
  if (ArrayBuffer.isView(values)) return;
  for (let i = 0; i < length!; i++) {
    const value: unknown = (values as ArrayLike<unknown>)[i];
    if (typeof value === 'number') continue;
    throw new Failure(
      `${what}: expected a flat array of numbers, got ${arrayType(value)} at index ${i}. Convert or flatten it first.`,
    );
  }
}

/**
 * Numbers as f32. A Float32Array is returned without a copy; other arrays are converted. Throws `Failure` for anything
 * but an array of numbers, and for finite numbers beyond the range of f32.
 */
export function toFloat32Array(
  what: string,
  values: ArrayLike<number>,
  Failure: ErrorClass = DataError,
): Float32Array<ArrayBuffer> {
  expectNumbers(what, values, Failure);
  if (values instanceof Float32Array) return values as Float32Array<ArrayBuffer>;
  const floats = Float32Array.from(values);
  const beyond = floats.findIndex((value, i) => !Number.isFinite(value) && Number.isFinite(values[i]));
  if (beyond < 0) return floats;
  throw new Failure(
    `${what}: expected numbers within the range of float32 (3.4e38), got ${values[beyond]} at index ${beyond}. Rescale them.`,
  );
}

/**
 * Inputs of a model: bytes stay bytes and are scaled later (`bytesToFloats`); everything else becomes f32. Throws
 * `Failure`.
 */
export function toFeatures(
  what: string,
  values: ArrayLike<number>,
  Failure: ErrorClass = DataError,
): Uint8Array<ArrayBuffer> | Float32Array<ArrayBuffer> {
  if (arrayType(values) !== 'Uint8Array') return toFloat32Array(what, values, Failure);
  return toBytes(values as Uint8Array<ArrayBuffer>);
}

/** The bytes of a buffer or of a view of one, without a copy. */
export const toBytes = (data: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> =>
  ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);

/**
 * Copies integers from 0 to `end` - 1. The `Failure` for any other number names it and its place, for example 'row'.
 */
export function toUint32Array(
  what: string,
  values: ArrayLike<number>,
  { end = 2 ** 31, place = 'index', Failure = DataError }: { end?: number; place?: string; Failure?: ErrorClass } = {},
): Uint32Array<ArrayBuffer> {
  expectNumbers(what, values, Failure);
  return Uint32Array.from(values, (value, i) => {
    if (Number.isInteger(value) && value >= 0 && value < end) return value;
    throw new Failure(`${what}: expected integers from 0 to ${end - 1}, got ${value} at ${place} ${i}`);
  });
}

/** How bytes become inputs unless a data set says otherwise: 0 to 255 become 0 to 1. */
export const BYTE_SCALE = 1 / 255;

/** `scale * byte + shift`, rounded to f32 after each step as the kernels do. */
export function bytesToFloats(bytes: Uint8Array, scale = BYTE_SCALE, shift = 0): Float32Array<ArrayBuffer> {
  const floats = new Float32Array(bytes.length);
  const [factor, term] = [Math.fround(scale), Math.fround(shift)];
  // A plain loop: Float32Array.from would call a function for each byte.
  for (let i = 0; i < floats.length; i++) floats[i] = Math.fround(bytes[i]! * factor) + term;
  return floats;
}
