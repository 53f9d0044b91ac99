/**
 * `weightless/convolution`: layers over images and signals, and what stands between them. Importing it teaches the models of
 * `weightless` these layers and their kernels; `loadModel` imports it by itself when a model file has such a layer.
 */
import { imageLaunchers } from './image-launchers.ts';
import { imageKinds } from './layers/images.ts';
import { layerKinds } from './layers/layers.ts';
import { inferenceLaunchers } from './plan.ts';

Object.assign(layerKinds, imageKinds);
Object.assign(inferenceLaunchers, imageLaunchers);

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
