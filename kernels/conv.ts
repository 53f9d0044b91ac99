import { type ActivationName, activationCode } from '../src/core/activations.ts';
import type { Window } from '../src/core/window.ts';
import source from './conv.wgsl';
import type { Dispatch } from './dispatch.ts';
import { convTile } from './window_tile.ts';

export interface ConvArgs<B> {
  readonly rows: number;
  readonly window: Window;
  readonly filters: number;
  /** (rows, height, width, channels) f32, with a border (`padImage`) if the window has padding. */
  readonly x: B;
  /** (window size, filters) f32 row-major. */
  readonly w: B;
  /** y = g(z + b), b (filters) f32; absent: y = z. */
  readonly epilogue?: { readonly b: B; readonly activation: ActivationName } | undefined;
  /** (rows, windows down, windows across, filters) f32, written. */
  readonly y: B;
}

/** y = g(w * x + b), a convolution over images. */
export const conv = <B>({ rows, window, filters, x, w, epilogue, y }: ConvArgs<B>): Dispatch<B> => {
  const { constants, params, grid } = convTile(rows, window, filters);
  return {
    source,
    constants: {
      ...constants,
      EPILOGUE: epilogue ? 1 : 0,
      ACTIVATION: activationCode(epilogue?.activation ?? 'identity'),
    },
    params: { ...params, scale: 1 },
    buffers: { x, w, b: epilogue?.b ?? w, y },
    grid,
  };
};
