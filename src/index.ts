/** weightless: neural-network layers whose random weights are never stored. Models and prediction; `train.ts` trains them. */

export type { ActivationName } from './activations.ts';
export {
  type AdapterDescription,
  adapterName,
  Context,
  type ContextOptions,
  createContext,
  type GpuOptions,
} from './context.ts';
export type { CpuContext, CpuOptions } from './cpu/cpu.ts';
export * from './errors.ts';
export {
  type DenseSpec,
  dense,
  type HalfOptions,
  type HalfSpec,
  halfDense,
  type LayerSpec,
  randomDense,
} from './layers/layers.ts';
export { type LoadOptions, loadModel } from './model/load.ts';
export { type Model, modelSize, outputSize, sequential } from './model/model.ts';
export { createPredictor, Predictor, softmax } from './model/predictor.ts';
export { readModel } from './model/safetensors.ts';
export type { TuneMemory } from './tuner.ts';
export { type DistributionName, integerWeights, type WeightSpec, weightScale } from './weights/distributions.ts';
export { type Seed, STREAM_VERSION } from './weights/stream.ts';
