/** Random kernels along signals: what src/signals.ts exports for prediction. */
import { layerKinds } from '../layers/kinds.ts';
import { signalKinds } from '../layers/signals.ts';

/** Registers the layer, for `readModel` in code that makes none by hand. Calling it again changes nothing. */
export function registerSignals(): void {
  Object.assign(layerKinds, signalKinds);
}

// A bundler drops this call where nothing is imported by name (`sideEffects: false`): then call the function.
registerSignals();

export { type SignalPool, signalPools } from '../core/signal-pools.ts';
export { type RandomKernelsOptions, randomKernels1d } from '../layers/signals.ts';
export type { RandomKernelsSpec } from '../layers/specs.ts';
