/** The product with the transpose of a random matrix `orthogonal` (n, k), as dispatches of orthogonal_pass. */

import { weightScale } from '../src/weights/distributions.ts';
import type { Dispatch } from './dispatch.ts';
import {
  type OrthogonalSizes,
  type OrthogonalStep,
  orthogonalChain,
  orthogonalShape,
  orthogonalSteps,
} from './orthogonal.ts';
import { sumBlocks } from './sum_blocks.ts';

export interface OrthogonalTransposedArgs<B> extends OrthogonalSizes {
  /** (m, n) f32. */
  readonly dz: B;
  /** (blocks) pairs of u32: `unitKeys`. */
  readonly keys: B;
  /** (m, k) f32, written. */
  readonly dx: B;
}

/** dx = dz r: the passes in reverse order, then the sum over blocks. */
export function orthogonalTransposed<B>(args: OrthogonalTransposedArgs<B>, scratch: readonly [B, B]): Dispatch<B>[] {
  const { m, k, n, dz, keys, dx } = args;
  const { logP, p, blocks } = orthogonalShape(args);
  const back = orthogonalSteps(logP)
    .reverse()
    .map(
      (step): OrthogonalStep =>
        step.flip?.when === 'before' ? { ...step, flip: { ...step.flip, when: 'after' } } : step,
    );
  const single = blocks === 1;
  const parts = scratch[(back.length - 1) % 2]!;
  const to = single ? { stride: k, block: 0, end: k } : { stride: blocks * p, block: p, end: blocks * p };
  const passes = orthogonalChain(
    args,
    keys,
    scratch,
    back,
    { source: dz, from: { stride: n, block: p, end: n } },
    { out: single ? dx : parts, to, scale: weightScale('orthogonal', k) },
  );
  return single ? passes : [...passes, sumBlocks({ m, k, blocks, p, parts, dx })];
}
