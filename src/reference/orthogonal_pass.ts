import { walshHadamard } from '../weights/orthogonal.ts';

/**
 * The butterflies of a transform of P = v.length elements over bits `shift` ... `shift + bits - 1` of the index, in
 * place. Over all bits this is the whole transform.
 */
export function butterflies(v: Float64Array, bits: number, shift: number): void {
  const size = 2 ** bits;
  const step = 2 ** shift;
  for (let first = 0; first < v.length; first++) {
    if (Math.floor(first / step) % size !== 0) continue;
    const part = Float64Array.from({ length: size }, (_, i) => v[first + i * step]!);
    walshHadamard(part);
    part.forEach((value, i) => {
      v[first + i * step] = value;
    });
  }
}
