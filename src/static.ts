/**
 * `weightless-gpu/static`: models, prediction, training and all kinds of layers for both backends in one file that
 * never calls `import()`. For module service workers, where `import()` is forbidden.
 */
export * from './convolution.ts';
export * from './fields.ts';
export * from './index.ts';
export * from './signals.ts';
export * from './train.ts';
