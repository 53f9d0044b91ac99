/**
 * The CPU kernels: WebAssembly with 128-bit SIMD. src/cpu/ gives them memory and calls them. Here are those that dense networks
 * predict with; what few pages need is in later.ts.
 */
export { epilogue } from './epilogue';
export { matmul, matmulRow } from './matmul';
export { orthogonal } from './orthogonal';
export { packRows, scale, unpackRows, unpackTiles } from './pack_rows';
export { randomMatmul } from './random_matmul';
export { keepIntegers, randomMatmulRow } from './random_matmul_row';
export { signNibbles } from './sign_nibbles';
export { signTables } from './sign_tables';
