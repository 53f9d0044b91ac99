import { eachPooled, type PoolArgs, pooledSize } from './pool.ts';

/** The maximum of each window, per channel. `from` is the index of that element, the first one in case of a tie. */
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
