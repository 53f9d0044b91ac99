/** weightless: neural-network layers whose random weights are never stored. Models and prediction; `train.ts` trains them. */

export { type AdapterDescription, adapterName } from './backend/adapter.ts';
export type { Backend } from './backend/backend.ts';
export type { ActivationName } from './core/activations.ts';
export * from './core/errors.ts';
export { dense, type HalfOptions, halfDense, randomDense } from './layers/dense.ts';
export type { DenseSpec, HalfSpec, LayerSpec } from './layers/specs.ts';
export type { ModelLimits } from './model/limits.ts';
export { type Model, modelSize, outputSize, sequential } from './model/model.ts';
export { readModel } from './model/safetensors.ts';
export {
  Context,
  type ContextOptions,
  type CpuContext,
  type CpuOptions,
  createContext,
  type GpuOptions,
  type TuneMemory,
} from './open.ts';
export type { ClassifyOptions } from './predict/classify.ts';
export { type LoadOptions, loadModel, type ModelSource } from './predict/load.ts';
export type { Estimate, Prediction } from './predict/predictions.ts';
export { createPredictor, Predictor } from './predict/predictor.ts';
export { softmax } from './predict/softmax.ts';
export { type DistributionName, integerWeights, type WeightSpec, weightScale } from './weights/distributions.ts';
export { type Seed, STREAM_VERSION } from './weights/stream.ts';
