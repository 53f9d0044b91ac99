/** The CPU kernels: WebAssembly with 128-bit SIMD. src/cpu/ gives them memory and calls them. */
export { epilogue, epilogueInputGradient, epilogueParameterGradient } from './epilogue';
export { meanSquaredError, softmaxCrossEntropy } from './loss';
export { matmul, matmulRow } from './matmul';
export { adam, sgd } from './optimizer';
export { orthogonal, orthogonalTransposed } from './orthogonal';
export { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pool';
export { add, dropout } from './elementwise';
export { packRows, scale, unpackRows, unpackTiles } from './pack_rows';
export { randomFilters, randomMatmul, randomMatmulTransposed } from './random_matmul';
export { randomFields, randomFieldsTransposed } from './random_fields';
export { randomMatmulRow } from './random_matmul_row';
export { signNibbles } from './sign_nibbles';
export { signTables } from './sign_tables';
export { copyLines, packPanels, unpackPanels, windowGradient, windowTiles } from './window_tile';
