import type { ActivationName } from '../core/activations.ts';
import { activate } from './activation.ts';

/** Arguments of every epilogue function: z (m, n), u and b (n). If absent, u is 1 and b is 0. */
export interface EpilogueArgs {
  m: number;
  n: number;
  z: ArrayLike<number>;
  u?: ArrayLike<number> | undefined;
  b?: ArrayLike<number> | undefined;
  activation: ActivationName;
}

/** Pre-activation of element i: u * z + b. */
export const preactivation = ({ n, z, u, b }: EpilogueArgs, i: number): number =>
  (u?.[i % n] ?? 1) * z[i]! + (b?.[i % n] ?? 0);

/** y = g(u * z + b). */
export function epilogue(args: EpilogueArgs): Float64Array {
  const y = new Float64Array(args.m * args.n);
  for (let i = 0; i < y.length; i++) y[i] = activate(args.activation, preactivation(args, i));
  return y;
}
