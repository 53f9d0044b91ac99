/**
 * The kernels that are faster by relaxed SIMD: a module of its own, on the memory of index.ts, as engines without relaxed SIMD would
 * refuse the whole. Their results are the same, bit for bit.
 */
export { randomMatmul } from './random_matmul';
export { keepIntegers, randomMatmulRow } from './random_matmul_row';
export { signNibbles } from './sign_nibbles';

/**
 * Whether relaxed instructions do here what x86 does: look-ups heed the lowest four bits of an index and the highest, under which they
 * answer 0; choices between bytes heed the highest bit. An engine does one thing for good (WebAssembly, relaxed SIMD). Where it is
 * another, as on ARM, the strict instructions cost no more.
 */
export function isAsOnX86(): bool {
  const table = i8x16(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
  for (let i = 0; i < 256; i++) {
    const index = i8x16.splat(<i8>i);
    const entry = i8x16.extract_lane_u(i8x16.relaxed_swizzle(table, index), 0);
    const choice = i8x16.extract_lane_u(i8x16.relaxed_laneselect(i8x16.splat(1), i8x16.splat(2), index), 0);
    if (entry != (i & 128 ? 0 : (i & 15) + 1) || choice != (i & 128 ? 1 : 2)) return false;
  }
  return true;
}
