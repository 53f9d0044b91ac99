/** `weightless-gpu/jax`: see adapters/jax.ts. */
export * from './adapters/jax.ts';
