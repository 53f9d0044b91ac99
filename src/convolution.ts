/**
 * `weightless-gpu/convolution`: layers over images and signals, pooling, dropout, residual blocks and VeRA adapters. Using one
 * of them registers them all, with their kernels; `loadModel` does so itself when a model file needs them.
 */
export * from './predict/convolution.ts';
