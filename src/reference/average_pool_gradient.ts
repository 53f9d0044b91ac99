import { eachPooled, imagesSize, type PoolArgs } from './pool.ts';

/** dx: each dy is divided evenly among the elements of its window. */
export function averagePoolGradient(args: PoolArgs & { dy: ArrayLike<number> }): Float64Array {
  const [height, width] = args.window.kernel;
  const dx = new Float64Array(imagesSize(args));
  eachPooled(args, (i, element) => {
    dx[element]! += args.dy[i]! / (height * width);
  });
  return dx;
}
