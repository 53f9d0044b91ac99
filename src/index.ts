/** weightless: neural-network layers whose random weights are never stored. The public surface. */

export type { ActivationName } from './activations.ts';
export { type AdapterDescription, adapterName, Context, type ContextOptions, createContext } from './context.ts';
export { type DataSet, type DataSetOptions, dataSet } from './data/dataset.ts';
export {
  DataError,
  DeviceLostError,
  DivergedError,
  GpuValidationError,
  ModelFileError,
  NoAdapterError,
  OutOfMemoryError,
  ShaderError,
  ShapeError,
  WeightlessError,
} from './errors.ts';
export type { Optimizer } from './graph.ts';
export {
  type DenseSpec,
  dense,
  type HalfOptions,
  type HalfSpec,
  halfDense,
  type LayerSpec,
  randomDense,
} from './layers/layers.ts';
export { type Model, modelSize, sequential } from './model/model.ts';
export { createPredictor, loadModel, Predictor, softmax } from './model/predictor.ts';
export { readModel, saveModel } from './model/safetensors.ts';
export { calibrate } from './train/calibrate.ts';
export { cosine, type EpochReport, evaluate, type FitOptions, type FitProgress, fit } from './train/fit.ts';
export type { Loss } from './train/graphs.ts';
export { PrefixCache } from './train/prefix.ts';
export { type DistributionName, integerWeights, type WeightSpec, weightScale } from './weights/distributions.ts';
export { type Seed, STREAM_VERSION } from './weights/stream.ts';
