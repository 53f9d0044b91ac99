/**
 * The kernels for training, solving, images, receptive fields and signals: a separate module that shares the memory of index.ts. It is
 * loaded when a graph needs it.
 */
export * from './elementwise';
export { epilogueInputGradient, epilogueParameterGradient } from './epilogue';
export * from './gram';
export * from './loss';
export * from './optimizer';
export { orthogonalTransposed } from './orthogonal';
export * from './pool';
export * from './random_fields';
export * from './random_kernels';
export { randomFilters, randomMatmulTransposed } from './random_matmul';
export * from './window_tile';
