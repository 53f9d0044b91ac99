/**
 * `weightless-gpu/convolution`: layers over images and signals, what stands between them, and adapters. Whoever uses one of them has taught the
 * models of `weightless` all of them and their kernels; `loadModel` does so by itself when a model file has such a layer.
 */
import { imageLaunchers } from './gpu/lower/images.ts';
import { inferenceLaunchers } from './gpu/plan.ts';
import { imageKinds } from './layers/images.ts';
import { layerKinds } from './layers/layers.ts';
import { veraKinds } from './layers/vera.ts';

/** Teaches models these layers, for `readModel` where no layer is made by hand. Calling it again changes nothing. */
export function registerConvolutions(): void {
  Object.assign(layerKinds, veraKinds, imageKinds);
  Object.assign(inferenceLaunchers, imageLaunchers);
}

// Not for those who import nothing by name: a bundler leaves them out (`sideEffects: false`), and they call the function.
registerConvolutions();

export {
  averagePool1d,
  averagePool2d,
  type ConvOptions,
  type ConvSpec,
  conv1d,
  conv2d,
  type DropoutSpec,
  dropout,
  type FlattenSpec,
  flatten,
  type GlobalPoolSpec,
  globalAveragePool,
  type HalfConvOptions,
  type HalfConvSpec,
  halfConv1d,
  halfConv2d,
  maxPool1d,
  maxPool2d,
  type PoolOptions,
  type PoolSpec,
  type ResidualSpec,
  randomConv1d,
  randomConv2d,
  residual,
  type Sizes,
} from './layers/images.ts';
export { type VeraOptions, type VeraSpec, vera } from './layers/vera.ts';
export { withVera } from './model/vera.ts';
