/** dx (m, k): the sum over the blocks of parts (m, blocks, p), for the first k of their p elements. */
export function sumBlocks(args: {
  m: number;
  k: number;
  blocks: number;
  p: number;
  parts: ArrayLike<number>;
}): Float64Array {
  const { m, k, blocks, p, parts } = args;
  return Float64Array.from({ length: m * k }, (_, i) => {
    const row = Math.floor(i / k);
    let sum = 0;
    for (let block = 0; block < blocks; block++) sum += parts[(row * blocks + block) * p + (i % k)]!;
    return sum;
  });
}
