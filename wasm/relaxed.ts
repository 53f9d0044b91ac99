/**
 * The kernels that relaxed SIMD makes faster. They form a separate module on the memory of index.ts, because engines
 * without relaxed SIMD would reject the whole module. Results are the same, bit for bit.
 */
export { randomMatmul } from './random_matmul';
export { cacheIntegers, randomMatmulRow } from './random_matmul_row';
export { signNibbles } from './sign_nibbles';

/**
 * Whether relaxed instructions behave as on x86: lookups return 0 if the highest bit of the index is set and otherwise
 * use its lowest four bits; selections between bytes use the highest bit. An engine never changes its choice
 * (WebAssembly, relaxed SIMD). Where it differs, as on ARM, the strict instructions are as fast.
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
