import { eachPooled, type PoolArgs, pooledSize } from './pool.ts';

/** The largest number of each window, channel by channel; `from` says which element it is, the first of several. */
export function maxPool(args: PoolArgs & { x: ArrayLike<number> }): { y: Float64Array; from: Int32Array } {
  const y = new Float64Array(pooledSize(args)).fill(Number.NEGATIVE_INFINITY);
  const from = new Int32Array(y.length);
  eachPooled(args, (i, element) => {
    if (!(args.x[element]! > y[i]!)) return;
    y[i] = args.x[element]!;
    from[i] = element;
  });
  return { y, from };
}
