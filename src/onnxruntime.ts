/** `weightless-gpu/onnxruntime`: see adapters/onnxruntime.ts. */
export * from './adapters/onnxruntime.ts';
