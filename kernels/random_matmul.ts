import { type ActivationName, activationCode } from '../src/core/activations.ts';
import { type DistributionName, type ElementwiseName, weightScale } from '../src/weights/distributions.ts';
import type { Dispatch } from './dispatch.ts';

/** Fetched when it is first compiled: a prediction of one row takes random_matmul_rows. */
const source = { name: 'random_matmul', fetch: () => import('./random_matmul.wgsl') };

export interface RandomMatmulArgs<B, Weights extends DistributionName = ElementwiseName> {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly weights: Weights;
  /** (m, k) f32. */
  readonly x: B;
  /** (n) pairs of u32: `unitKeys`. */
  readonly keys: B;
  /** y = g(u * z + b), u and b (n) f32. Without u: g(z + b). If absent, y = z. */
  readonly epilogue?: { readonly u?: B; readonly b: B; readonly activation: ActivationName } | undefined;
  /** (m, n) f32, written. */
  readonly y: B;
}

/** Parameters and bindings common to the forward random products. Bindings that are never read hold the keys. */
export function randomMatmulDispatch<B>(args: RandomMatmulArgs<B>) {
  const { m, k, n, weights, x, keys, epilogue, y } = args;
  return {
    weights,
    constants: {
      EPILOGUE: epilogue ? (epilogue.u ? 2 : 1) : 0,
      ACTIVATION: activationCode(epilogue?.activation ?? 'identity'),
    },
    params: { m, k, n, scale: weightScale(weights, k) },
    buffers: { x, keys, u: epilogue?.u ?? keys, b: epilogue?.b ?? keys, y },
  };
}

/** y = g(u * (x r') + b) for several rows: r (n, k) regenerated, scale included. Tiles of `rows` x 32 * `units`. */
export function randomMatmul<B>(args: RandomMatmulArgs<B>, rows: 8 | 16 = 16, units: 4 | 8 = 4): Dispatch<B> {
  const common = randomMatmulDispatch(args);
  return {
    source,
    ...common,
    constants: { ...common.constants, ROWS: rows, UNITS: units },
    grid: [Math.ceil(args.n / (32 * units)), Math.ceil(args.m / rows), 1],
  };
}
