import { type ActivationName, activationCode } from '../src/core/activations.ts';
import type { Dispatch } from './dispatch.ts';
import { widen } from './epilogue.ts';
import source from './epilogue_parameter_gradient.wgsl';
import { sumBlocks } from './sum_blocks.ts';

export interface EpilogueParameterGradientArgs<B> {
  readonly m: number;
  readonly n: number;
  /** (m, n) f32. */
  readonly z: B;
  /** (n) f32 each. */
  readonly u: B;
  readonly b: B;
  readonly activation: ActivationName;
  /** (m, n) f32. */
  readonly dy: B;
  /** (n) f32 each, written. */
  readonly du: B;
  readonly db: B;
}

/** Enough sums to keep a chip busy. */
const BUSY = 4096;
/** A part of fewer rows does not pay. */
const LEAST = 512;

/** Number of parts of the sum over m rows of n columns. Each needs (n) f32 of memory; 1 needs none. */
export const parameterGradientParts = (m: number, n: number): number =>
  Math.max(1, Math.min(Math.floor(m / LEAST), Math.ceil(BUSY / n)));

/** A kernel that sums columns, then the sum of its parts if there are several. `parts`: memory for each output. */
export function inParts<B, Outputs extends string>(
  { m, n }: { m: number; n: number },
  outputs: Readonly<Record<Outputs, B>>,
  parts: readonly B[],
  kernel: (outputs: Record<Outputs, B>) => Omit<Dispatch<B>, 'params' | 'grid'>,
): Dispatch<B>[] {
  const fold = parameterGradientParts(m, n);
  const names = Object.keys(outputs) as Outputs[];
  const params = widen(m, n, fold);
  const grid = [Math.ceil(params.n / 64), 1, 1] as const;
  if (fold === 1) return [{ ...kernel(outputs), params, grid }];
  const partial = Object.fromEntries(names.map((name, i) => [name, parts[i]!])) as Record<Outputs, B>;
  return [
    { ...kernel(partial), params, grid },
    ...names.map((name) => sumBlocks({ m: 1, k: n, blocks: fold, p: n, parts: partial[name], dx: outputs[name] })),
  ];
}

/** du and db of y = g(u * z + b). */
export function epilogueParameterGradient<B>(
  args: EpilogueParameterGradientArgs<B>,
  parts: readonly B[],
): Dispatch<B>[] {
  const { m, n, activation, du, db, ...buffers } = args;
  return inParts<B, 'du' | 'db'>({ m, n }, { du, db }, parts, (outputs) => ({
    source,
    constants: { ACTIVATION: activationCode(activation) },
    buffers: { ...buffers, ...outputs },
  }));
}
