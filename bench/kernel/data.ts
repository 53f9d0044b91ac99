/** Contents of a kernel's buffers: values that are set, else random numbers, the same in every run. */
import { halfBits, halfValue } from '../../src/core/float16.ts';
import { streamWord, unitKey } from '../../src/weights/stream.ts';
import { type BufferPlan, countOf, type Leaf, type Scalar } from './plan.ts';

/** Numbers of a buffer for a reference: an array, or those of a struct by path. One number stays a number. */
export type Contents = Numbers | Readonly<Record<string, Numbers | number>>;
export type Numbers = Float32Array | Uint32Array | Int32Array;

const ACCESS: Readonly<
  Record<Scalar, { get(view: DataView, at: number): number; set(view: DataView, at: number, value: number): void }>
> = {
  f32: { get: (view, at) => view.getFloat32(at, true), set: (view, at, value) => view.setFloat32(at, value, true) },
  u32: { get: (view, at) => view.getUint32(at, true), set: (view, at, value) => view.setUint32(at, value, true) },
  i32: { get: (view, at) => view.getInt32(at, true), set: (view, at, value) => view.setInt32(at, value, true) },
  f16: {
    get: (view, at) => halfValue(view.getUint16(at, true)),
    set: (view, at, value) => view.setUint16(at, halfBits(value), true),
  },
};

/** Calls `visit` with the number and the offset of each of a leaf's numbers, in order. */
function each({ offset, dims }: Leaf, visit: (index: number, at: number) => void): void {
  let index = 0;
  const walk = (depth: number, at: number): void => {
    const dim = dims[depth];
    if (!dim) {
      visit(index++, at);
      return;
    }
    for (let i = 0; i < dim.count; i++) walk(depth + 1, at + i * dim.stride);
  };
  walk(0, offset);
}

/**
 * The bytes of a buffer. Random floats lie between -1 and 1, random integers between 0 and 255. `seed` differs from
 * buffer to buffer.
 */
export function contentsOf({ bytes, leaves, values }: BufferPlan, seed: number): Uint8Array<ArrayBuffer> {
  const made = new Uint8Array(bytes);
  const view = new DataView(made.buffer);
  for (const [tensor, leaf] of leaves.entries()) {
    const [key0, key1] = unitKey(seed, tensor, 0);
    const given = values[leaf.path];
    const float = leaf.scalar.startsWith('f');
    const { set } = ACCESS[leaf.scalar];
    each(leaf, (index, at) => {
      const word = streamWord(key0, key1, index);
      set(view, at, given ? given[index]! : float ? (word + 0.5) / 2 ** 31 - 1 : word >>> 24);
    });
  }
  return made;
}

/** The numbers of a buffer. */
export function readContents({ leaves }: Pick<BufferPlan, 'leaves'>, bytes: Uint8Array): Contents {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const numbersOf = (leaf: Leaf): Numbers => {
    const Type = leaf.scalar === 'u32' ? Uint32Array : leaf.scalar === 'i32' ? Int32Array : Float32Array;
    const numbers = new Type(countOf(leaf));
    const { get } = ACCESS[leaf.scalar];
    each(leaf, (index, at) => {
      numbers[index] = get(view, at);
    });
    return numbers;
  };
  if (leaves.length === 1 && !leaves[0]!.path) return numbersOf(leaves[0]!);
  return Object.fromEntries(
    leaves.map((leaf) => {
      const numbers = numbersOf(leaf);
      return [leaf.path, leaf.dims.length ? numbers : numbers[0]!];
    }),
  );
}
