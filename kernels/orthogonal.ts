/** The product with a random matrix `orthogonal` (n, k), as dispatches of orthogonal_pass. */

import { weightScale } from '../src/weights/distributions.ts';
import { orthogonalLogP, orthogonalPasses } from '../src/weights/orthogonal.ts';
import type { Dispatch } from './dispatch.ts';
import { type Layout, type OrthogonalPassArgs, orthogonalPass } from './orthogonal_pass.ts';

export interface OrthogonalSizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Number of blocks of P units, and size of the two scratch buffers, each m x blocks x P f32. */
export function orthogonalShape({ m, k, n }: OrthogonalSizes): {
  logP: number;
  p: number;
  blocks: number;
  scratchBytes: number;
} {
  const logP = orthogonalLogP(k);
  const p = 2 ** logP;
  const blocks = Math.ceil(n / p);
  return { logP, p, blocks, scratchBytes: 4 * m * blocks * p };
}

export type OrthogonalStep = Pick<OrthogonalPassArgs<never>, 'bits' | 'shift' | 'flip'>;

/** Three transforms as passes, the highest bits first and last. Adjacent transforms share a pass and flip inside it. */
export function orthogonalSteps(logP: number): OrthogonalStep[] {
  const sizes = orthogonalPasses(logP);
  let top = logP;
  const down = sizes.map((bits) => {
    top -= bits;
    return { bits, shift: top };
  });
  const high = down[0]!;
  const low = down.at(-1)!;
  const middle = down.slice(1, -1);
  return [
    { ...high, flip: { when: 'before', signs: 0 } },
    ...middle,
    { ...low, flip: { when: 'between', signs: 1 } },
    ...middle,
    { ...high, flip: { when: 'between', signs: 2 } },
    ...middle,
    low,
  ];
}

/** Chains the passes from `first` through scratch memory to `last`. */
export function orthogonalChain<B>(
  sizes: OrthogonalSizes,
  keys: B,
  scratch: readonly [B, B],
  all: readonly OrthogonalStep[],
  first: { source: B; from: Layout },
  last: Pick<OrthogonalPassArgs<B>, 'out' | 'to' | 'scale' | 'epilogue'>,
): Dispatch<B>[] {
  const { logP, p, blocks } = orthogonalShape(sizes);
  const between = { stride: blocks * p, block: p, end: blocks * p, whole: true };
  return all.map((step, i) => {
    const from = i === 0 ? first : { source: scratch[(i + 1) % 2]!, from: between };
    const to = i === all.length - 1 ? last : { out: scratch[i % 2]!, to: between };
    return orthogonalPass({ m: sizes.m, blocks, logP, keys, ...step, ...from, ...to });
  });
}

export interface OrthogonalArgs<B> extends OrthogonalSizes {
  /** (m, k) f32. */
  readonly x: B;
  /** (blocks) pairs of u32: `unitKeys`. */
  readonly keys: B;
  readonly epilogue?: OrthogonalPassArgs<B>['epilogue'];
  /** (m, n) f32, written. */
  readonly y: B;
}

/** y = g(u * (x r') + b). */
export function orthogonal<B>(args: OrthogonalArgs<B>, scratch: readonly [B, B]): Dispatch<B>[] {
  const { k, n, x, keys, epilogue, y } = args;
  const { logP, p } = orthogonalShape(args);
  const to = { stride: n, block: p, end: n };
  return orthogonalChain(
    args,
    keys,
    scratch,
    orthogonalSteps(logP),
    { source: x, from: { stride: k, block: 0, end: k } },
    { out: y, to, scale: weightScale('orthogonal', k), epilogue },
  );
}
