/**
 * `weightless-gpu/fields`: half layers of random receptive fields. Using one of them registers them all, with their kernel;
 * `loadModel` does so itself when a model file needs them.
 */
export * from './predict/fields.ts';
