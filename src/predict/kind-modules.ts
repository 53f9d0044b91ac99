/** Which module registers each kind of layer. `loadModel` imports it when a model file has a layer of that kind. */
import { onDemand } from '../core/on-demand.ts';
import type { LayerSpec } from '../layers/specs.ts';

const convolution = async () => (await onDemand(import('./convolution.ts'))).registerConvolutions();
const fields = async () => (await onDemand(import('./fields.ts'))).registerFields();
const signals = async () => (await onDemand(import('./random-kernels.ts'))).registerSignals();
/** Dense layers come with the library. */
const builtIn = async () => {};

export const kindModules: { readonly [K in LayerSpec['kind']]: () => Promise<void> } = {
  half: builtIn,
  dense: builtIn,
  halfConv: convolution,
  conv: convolution,
  pool: convolution,
  globalPool: convolution,
  flatten: convolution,
  dropout: convolution,
  residual: convolution,
  gated: convolution,
  vera: convolution,
  halfFields: fields,
  randomKernels: signals,
};
