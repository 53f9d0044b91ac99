import { type ActivationName, activationCode } from '../src/core/activations.ts';
import { type Dispatch, MAX_WORKGROUPS } from './dispatch.ts';

/** Fetched when it is first compiled: in predictions the kernels of products compute their epilogue themselves. */
const source = { name: 'epilogue', fetch: () => import('./epilogue.wgsl') };

export interface EpilogueArgs<B> {
  readonly m: number;
  readonly n: number;
  /** (m, n) f32. */
  readonly z: B;
  /** (n) f32. If absent, u is 1. */
  readonly u?: B;
  /** (n) f32. If absent, b is 0 and u is ignored. */
  readonly b?: B;
  readonly activation: ActivationName;
}

/**
 * Treats the matrix (m, n) as a wider one with `fold` rows per row, so that few columns (channels of many positions)
 * fill the lanes too. The last wide row may be incomplete.
 */
export const widen = (m: number, n: number, fold: number) => ({
  m: Math.ceil(m / fold),
  n: n * fold,
  units: n,
  count: m * n,
});

/** Constants, parameters and read bindings shared by the elementwise epilogue kernels. */
export function epilogueDispatch<B>({ m, n, z, u, b, activation }: EpilogueArgs<B>): {
  constants: Record<string, number>;
  params: Record<string, number>;
  buffers: Record<string, B>;
  grid: [number, number, number];
} {
  const wide = widen(m, n, Math.min(m, Math.max(1, Math.floor(64 / n), Math.ceil(m / (8 * MAX_WORKGROUPS)))));
  return {
    constants: { EPILOGUE: b ? (u ? 2 : 1) : 0, ACTIVATION: activationCode(activation) },
    params: wide,
    buffers: { z, u: u ?? b ?? z, b: b ?? z },
    grid: [Math.ceil(wide.n / 64), Math.ceil(wide.m / 8), 1],
  };
}

/** y = g(u * z + b), y (m, n) f32. */
export const epilogue = <B>({ y, ...args }: EpilogueArgs<B> & { readonly y: B }): Dispatch<B> => {
  const shared = epilogueDispatch(args);
  return { source, ...shared, buffers: { ...shared.buffers, y } };
};
