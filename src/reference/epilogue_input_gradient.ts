import { activateGradient } from './activation.ts';
import { type EpilogueArgs, preactivation } from './epilogue.ts';

/** dz = u * dy * g'(u * z + b). */
export function epilogueInputGradient(args: EpilogueArgs & { dy: ArrayLike<number> }): Float64Array {
  const { m, n, u, activation, dy } = args;
  const dz = new Float64Array(m * n);
  for (let i = 0; i < dz.length; i++) {
    dz[i] = (u?.[i % n] ?? 1) * dy[i]! * activateGradient(activation, preactivation(args, i));
  }
  return dz;
}
