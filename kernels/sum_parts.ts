import { type Dispatch, linearGrid } from './dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';

/** Fetched when it is first compiled, with the product that was split. */
const source = { name: 'sum_parts', fetch: () => import('./sum_parts.wgsl') };

/** y = g(u * z + b), where z is the sum of the parts of a product: `sums`, (parts, m, n) f32. */
export function sumParts<B>(args: RandomMatmulArgs<B>, parts: number, sums: B): Dispatch<B> {
  const { m, n } = args;
  const { constants, buffers } = randomMatmulDispatch(args);
  const { u, b, y } = buffers;
  return {
    source,
    constants,
    params: { count: m * n, n, parts },
    buffers: { sums, u, b, y },
    grid: linearGrid(m * n, 64),
  };
}
