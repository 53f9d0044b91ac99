/**
 * The CPU kernels: WebAssembly with 128-bit SIMD. src/cpu/ allocates memory for them and calls them. This module holds
 * the kernels that dense networks need for prediction; lazy.ts holds the kernels that few pages need.
 */
export { epilogue } from './epilogue';
export { matmul, matmulRow } from './matmul';
export { orthogonal } from './orthogonal';
export { packRows, scale, unpackRows, unpackTiles } from './pack_rows';
export { randomMatmul } from './random_matmul';
export { cacheIntegers, randomMatmulRow } from './random_matmul_row';
export { signNibbles } from './sign_nibbles';
export { signTables } from './sign_tables';
