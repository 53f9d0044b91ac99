/** `weightless-gpu/tfjs`: see adapters/tfjs.ts. */
export * from './adapters/tfjs.ts';
