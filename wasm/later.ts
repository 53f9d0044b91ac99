/**
 * The kernels for training, images and receptive fields: a separate module that shares the memory of index.ts. It is
 * loaded when a graph needs it.
 */
export { add, dropout } from './elementwise';
export { epilogueInputGradient, epilogueParameterGradient } from './epilogue';
export { meanSquaredError, softmaxCrossEntropy } from './loss';
export { adam, sgd } from './optimizer';
export { orthogonalTransposed } from './orthogonal';
export { averagePool, averagePoolGradient, maxPool, maxPoolGradient } from './pool';
export { randomFields, randomFieldsTransposed } from './random_fields';
export { randomFilters, randomMatmulTransposed } from './random_matmul';
export { copyLines, packPanels, unpackPanels, windowGradient, windowTiles } from './window_tile';
