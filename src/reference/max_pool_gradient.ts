import { maxPool } from './max_pool.ts';
import { imagesSize, type PoolArgs } from './pool.ts';

/** dx: each dy goes to the maximum of its window. */
export function maxPoolGradient(args: PoolArgs & { x: ArrayLike<number>; dy: ArrayLike<number> }): Float64Array {
  const dx = new Float64Array(imagesSize(args));
  maxPool(args).from.forEach((element, i) => {
    dx[element]! += args.dy[i]!;
  });
  return dx;
}
