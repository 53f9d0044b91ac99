/**
 * `weightless-gpu/signals`: random convolutions along signals, and the classifier that is fitted on them in one pass.
 * `loadModel` imports the layer itself when a model file needs it.
 */
export * from './predict/random-kernels.ts';
export { type SignalStream, type SignalStreamOptions, signalStream } from './predict/signal-stream.ts';
export { type FitSignalsOptions, fitSignals } from './train/signals.ts';
