import { eachPooled, type PoolArgs, pooledSize } from './pool.ts';

/** The mean of each window, per channel. */
export function averagePool(args: PoolArgs & { x: ArrayLike<number> }): Float64Array {
  const [height, width] = args.window.kernel;
  const y = new Float64Array(pooledSize(args));
  eachPooled(args, (i, element) => {
    y[i]! += args.x[element]! / (height * width);
  });
  return y;
}
