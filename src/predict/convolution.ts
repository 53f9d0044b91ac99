/** Layers over images and signals, and VeRA adapters: what src/convolution.ts exports. */
import { blockKinds } from '../layers/blocks.ts';
import { imageKinds } from '../layers/images.ts';
import { layerKinds } from '../layers/kinds.ts';
import { veraKinds } from '../layers/vera.ts';

/** Registers these layers, for `readModel` in code that makes none by hand. Calling it again changes nothing. */
export function registerConvolutions(): void {
  Object.assign(layerKinds, veraKinds, imageKinds, blockKinds);
}

// A bundler drops this call where nothing is imported by name (`sideEffects: false`): then call the function.
registerConvolutions();

export { dropout, gated, residual } from '../layers/blocks.ts';
export {
  averagePool1d,
  averagePool2d,
  type ConvOptions,
  conv1d,
  conv2d,
  flatten,
  globalAveragePool,
  type HalfConvOptions,
  halfConv1d,
  halfConv2d,
  maxPool1d,
  maxPool2d,
  type PoolOptions,
  randomConv1d,
  randomConv2d,
} from '../layers/images.ts';
export type {
  ConvSpec,
  DropoutSpec,
  FlattenSpec,
  GatedSpec,
  GlobalPoolSpec,
  HalfConvSpec,
  PoolSpec,
  ResidualSpec,
  Sizes,
  VeraSpec,
} from '../layers/specs.ts';
export { type VeraOptions, vera } from '../layers/vera.ts';
export { withVera } from '../model/vera.ts';
