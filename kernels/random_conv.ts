import { type ActivationName, activationCode } from '../src/core/activations.ts';
import { type Window, windowSize } from '../src/core/window.ts';
import { type ElementwiseName, weightScale } from '../src/weights/distributions.ts';
import type { Dispatch } from './dispatch.ts';
import source from './random_conv.wgsl';
import { convTile } from './window_tile.ts';

export interface RandomConvArgs<B> {
  readonly rows: number;
  readonly window: Window;
  readonly filters: number;
  readonly weights: ElementwiseName;
  /** Maximum number of workgroups per eight outputs. By default, as many as there is work for. */
  readonly groups?: number;
  /** (rows, height, width, channels) f32, with a border (`padImage`) if the window has padding. */
  readonly x: B;
  /** (filters) pairs of u32: `unitKeys`. */
  readonly keys: B;
  /** y = g(u * z + b), u and b (filters) f32. Without u: g(z + b). If absent, y = z. */
  readonly epilogue?: { readonly u?: B; readonly b: B; readonly activation: ActivationName } | undefined;
  /** (rows, windows down, windows across, filters) f32, written. */
  readonly y: B;
}

/** y = g(u * (r * x) + b) over images, with random filters r regenerated, scale included. */
export const randomConv = <B>(args: RandomConvArgs<B>): Dispatch<B> => {
  const { rows, window, filters, weights, groups, x, keys, epilogue, y } = args;
  const { constants, params, grid } = convTile(rows, window, filters, groups);
  return {
    source,
    weights,
    constants: {
      ...constants,
      EPILOGUE: epilogue ? (epilogue.u ? 2 : 1) : 0,
      ACTIVATION: activationCode(epilogue?.activation ?? 'identity'),
    },
    params: { ...params, scale: weightScale(weights, windowSize(window)) },
    buffers: { x, keys, u: epilogue?.u ?? keys, b: epilogue?.b ?? keys, y },
    grid,
  };
};
