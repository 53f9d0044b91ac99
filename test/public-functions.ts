/**
 * Every public function, with what it takes as options: `options` are right, `call` hands them over. test/options.test.ts
 * and the fuzzer misspell names and change types; a function that is not listed here fails the test.
 */
import type { Backend } from '../src/backend/backend.ts';
import { PrefixCache } from '../src/backend/prefix-cache.ts';
import * as convolution from '../src/convolution.ts';
import { typeName } from '../src/core/options.ts';
import { dataSet } from '../src/data/dataset.ts';
import * as exporting from '../src/export.ts';
import * as fields from '../src/fields.ts';
import * as library from '../src/index.ts';
import type { OperationSpec } from '../src/ops.ts';
import { classify } from '../src/predict/classify.ts';
import * as signals from '../src/signals.ts';
import * as train from '../src/train.ts';

export interface Row {
  /** Options that are right. Those that the perturbed calls never come to may be stand-ins. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly call: (options: never) => unknown;
  /** Types that an option may have beside that of its value here. */
  readonly also?: Readonly<Record<string, readonly string[]>>;
  /** Options that may be anything. */
  readonly anything?: readonly string[];
  /** Options that may be any string. */
  readonly texts?: readonly string[];
}

convolution.registerConvolutions();

/** A backend that no refused call may come to. */
const unreadBackend = new Proxy({} as Backend, {
  get(_, name) {
    if (name === 'then') return undefined;
    throw new Error(`a call with wrong options has come to backend.${String(name)}`);
  },
});

const seed = { seed: ['bigint'] };
const half = { units: 3, weights: 'normal', activation: 'relu' };
const filters = { channels: 2, kernel: 2, stride: 1, padding: 0, dilation: 1, activation: 'relu' };
const sizes = ['kernel', 'stride', 'padding', 'dilation', 'size'];
const pairs = { also: Object.fromEntries(sizes.map((name) => [name, ['array']])) };
const model = library.sequential([library.halfDense({ units: 3 }), library.dense({ units: 2 })], { input: [4] });
const file = train.saveModel(model);
const data = dataSet({ features: [1, 2, 3, 4, 5, 6, 7, 8], shape: [4], labels: [0, 1] });
const weights = { seed: 1, tensor: 0, distribution: 'normal' };
const image = { height: 3, width: 4, channels: 1 };
const noOp = () => {};

/** Rows of functions that answer or throw at once, by their names and what of them is perturbed. */
export const atOnce: Readonly<Record<string, Row>> = {
  dense: { options: { units: 3, activation: 'relu' }, call: library.dense },
  halfDense: { options: { ...half, rank: 2 }, call: library.halfDense },
  randomDense: { options: half, call: library.randomDense },
  sequential: {
    options: { input: [4], seed: 1 },
    call: (o) => library.sequential([library.dense({ units: 2 })], o),
    also: seed,
  },
  readModel: { options: { limits: { numbers: 1e6 } }, call: (o) => library.readModel(file, o) },
  'readModel limits': {
    options: { numbers: 1e6, multiplyAdds: 1e6 },
    call: (limits) => library.readModel(file, { limits }),
  },
  'integerWeights spec': { options: weights, call: (o) => library.integerWeights(o, [0, 2], [0, 2]), also: seed },
  dataSet: {
    options: { features: [1, 2], shape: [1], labels: [0, 1], classes: 2, scale: 1, shift: 0, targets: undefined },
    call: dataSet,
  },
  'dataSet.fromRows': {
    options: { label: 'kind', task: 'classification', columns: ['size'], drop: undefined, preparation: undefined },
    call: (o) => train.dataSet.fromRows([{ size: 1, kind: 'a' }], o),
    texts: ['label'],
  },
  saveModel: { options: { dtype: 'F16', metadata: { author: 'Ada' } }, call: (o) => train.saveModel(model, o) },
  saveCheckpoint: {
    options: { model, state: { epoch: 1, optimizer: new Map() }, note: undefined },
    call: train.saveCheckpoint,
    anything: ['note'],
  },
  averagePool1d: { options: { size: 2, stride: 1 }, call: convolution.averagePool1d, ...pairs },
  averagePool2d: { options: { size: 2, stride: 1 }, call: convolution.averagePool2d, ...pairs },
  maxPool1d: { options: { size: 2, stride: 1 }, call: convolution.maxPool1d, ...pairs },
  maxPool2d: { options: { size: 2, stride: 1 }, call: convolution.maxPool2d, ...pairs },
  conv1d: { options: filters, call: convolution.conv1d, ...pairs },
  conv2d: { options: filters, call: convolution.conv2d, ...pairs },
  halfConv1d: { options: { ...filters, weights: 'normal' }, call: convolution.halfConv1d, ...pairs },
  halfConv2d: { options: { ...filters, weights: 'normal' }, call: convolution.halfConv2d, ...pairs },
  randomConv1d: { options: { ...filters, weights: 'normal' }, call: convolution.randomConv1d, ...pairs },
  randomConv2d: { options: { ...filters, weights: 'normal' }, call: convolution.randomConv2d, ...pairs },
  randomKernels1d: {
    options: { units: 3, taps: 5, weights: 'normal', pools: ['ppv'] },
    call: signals.randomKernels1d,
  },
  signalStream: { options: { hop: 3 }, call: (o) => signals.signalStream({ model } as never, o) },
  dropout: { options: { rate: 0.5 }, call: convolution.dropout },
  vera: { options: { ...half, rank: 2, base: 'frozen' }, call: convolution.vera },
  withVera: { options: { rank: 2, weights: 'normal', base: 'frozen' }, call: (o) => convolution.withVera(model, o) },
  halfFields: { options: { ...half, weights: 'patch' }, call: fields.halfFields },
  halfFields1d: { options: { ...half, weights: 'patch' }, call: fields.halfFields1d },
  randomFields: { options: { ...half, weights: 'patch' }, call: fields.randomFields },
  randomFields1d: { options: { ...half, weights: 'patch' }, call: fields.randomFields1d },
  'fieldWeights spec': {
    options: { ...weights, distribution: 'patch', image },
    call: (o) => fields.fieldWeights(o, [0, 2]),
    also: seed,
  },
  'fieldWeights image': {
    options: image,
    call: (image) => fields.fieldWeights({ seed: 1, tensor: 0, distribution: 'patch', image }, [0, 2]),
  },
  exportOnnx: { options: { weights: 'stored' }, call: (o) => exporting.exportOnnx(model, o) },
  onnxChunks: { options: { weights: 'stored' }, call: (o) => [...exporting.onnxChunks(model, o)] },
};

const product = { m: 2, k: 3, n: 4, weights };
const epilogue = { scale: true, bias: true, activation: 'relu' };
const window = { ...{ kernel: [2, 2], stride: [1, 1], padding: [0, 0], dilation: [1, 1] }, ...image };

/** The fields of each operation. */
export const operations: { readonly [O in OperationSpec['op']]: Row['options'] } = {
  randomMatmul: { ...product, ...epilogue, inputs: 'f32', precision: 'f32', kernel: undefined, product: false },
  randomMatmulTransposed: product,
  randomMatmulGradient: { ...product, ...epilogue, gradients: ['x'] },
  epilogue: { m: 2, n: 3, ...epilogue },
  epilogueGradient: { m: 2, n: 3, ...epilogue, gradients: ['z'] },
  dense: { m: 2, k: 3, n: 4, bias: true, activation: 'relu' },
  denseGradient: { m: 2, k: 3, n: 4, bias: true, activation: 'relu', gradients: ['w'] },
  halfConv2d: { rows: 2, filters: 3, weights, ...window, ...epilogue },
  halfConv2dGradient: { rows: 2, filters: 3, weights, ...window, ...epilogue, gradients: ['x'] },
  vera: { m: 2, k: 3, n: 4, rank: 2, a: weights, b: weights, base: true },
  veraGradient: { m: 2, k: 3, n: 4, rank: 2, a: weights, b: weights, gradients: ['d'] },
  materialize: { weights, inputs: [0, 3], units: [0, 4], fanIn: 3, dtype: 'f32', transposed: false },
};

/** Rows of functions that return promises. */
export const withPromises: Readonly<Record<string, Row>> = {
  createContext: {
    options: {
      ...{ backend: 'cpu', threads: 1, keepWeights: 0, powerPreference: 'low-power', tune: false },
      ...{ device: undefined, gpu: undefined },
    },
    also: { tune: ['object'] },
    call: async (o) => (await library.createContext(o)).dispose(),
  },
  'dataSet.fromPictures': {
    options: { width: 2, height: 2, channels: 1, fit: 'stretch', invert: 'auto', preparation: undefined },
    also: { invert: ['boolean'] },
    call: (o) =>
      train.dataSet.fromPictures([{ picture: { width: 1, height: 1, data: new Uint8Array(4) }, label: 'a' }], o),
  },
  'classify options': {
    options: { top: 1 },
    call: (o) => classify({ model, predict: async () => new Float32Array(2) }, [1, 2, 3, 4], o),
  },
  createLearner: {
    options: { classes: ['a'], penalty: 1 },
    call: (o) => train.createLearner(unreadBackend, model, o),
  },
  loadLearner: {
    options: { penalty: 1, limits: { numbers: 1e6 } },
    call: (o) => train.loadLearner(unreadBackend, file, o),
  },
  'loadLearner limits': {
    options: { numbers: 1e6, multiplyAdds: 1e6 },
    call: (limits) => train.loadLearner(unreadBackend, file, { limits }),
  },
  fitSignals: {
    options: { features: 8, weights: 'normal', pools: ['ppv'], seed: 1 },
    also: seed,
    call: (o) => signals.fitSignals(unreadBackend, data, o),
  },
  loadModel: {
    options: { onProgress: noOp, signal: new AbortController().signal, limits: { numbers: 1e6 } },
    call: (o) => library.loadModel(unreadBackend, file, o),
  },
  'loadModel limits': {
    options: { numbers: 1e6, multiplyAdds: 1e6 },
    call: (limits) => library.loadModel(unreadBackend, file, { limits }),
  },
  fit: {
    options: {
      ...{ epochs: 1, batchSize: 2, learningRate: 0.1, loss: 'crossEntropy', validation: data, patience: 1, seed: 1 },
      ...{ classWeights: 'balanced', state: { epoch: 0, optimizer: new Map() }, calibrate: false, prefixBudget: 0 },
      ...{ prefixes: new PrefixCache(unreadBackend), signal: new AbortController().signal, onProgress: noOp },
      optimizer: { kind: 'adam' },
    },
    also: { ...seed, learningRate: ['function'], classWeights: ['array'] },
    call: (o) => train.fit(unreadBackend, model, data, o).next(),
  },
  'fit optimizer': {
    options: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    call: (optimizer) => train.fit(unreadBackend, model, data, { optimizer }).next(),
  },
  evaluate: {
    options: {
      ...{ loss: 'crossEntropy', batchSize: 2 },
      ...{ signal: new AbortController().signal, onProgress: noOp },
    },
    call: (o) => train.evaluate(unreadBackend, model, data, o),
  },
};

/** Public functions without an object of options. */
export const without = [
  ...['adapterName', 'modelSize', 'outputSize', 'createPredictor', 'softmax', 'weightScale', 'Context', 'Predictor'],
  ...['PrefixCache', 'cardOf', 'preparationOf', 'setCard', 'setPreparation', 'calibrate', 'readCheckpoint', 'cosine'],
  ...[
    'balancedWeights',
    'confusionMatrix',
    'measure',
    'figuresOf',
    'calibrationError',
    'classFigures',
    'registerConvolutions',
    'registerFields',
    'registerSignals',
    'flatten',
    'globalAveragePool',
    'residual',
  ],
  ...[
    'gated',
    'labelFigures',
    'macroAverage',
    'regressionErrors',
    'rocAuc',
    'decodeTable',
    'unitKeys',
    'softwareDriver',
    'nodeGpu',
    'tuneFile',
    'wantedDigest',
  ],
];

const values: readonly unknown[] = ['text', Symbol('s'), [], { wrong: 1 }, null, Number.NaN, true, noOp, 10n];

/** Values whose type an option does not have. */
export function wrongValues({ options, also, anything, texts }: Row, name: string): unknown[] {
  if (anything?.includes(name)) return [];
  const value = options[name];
  const types = [value === undefined ? 'undefined' : typeName(value), ...(also?.[name] ?? [])];
  return values.filter((wrong) => {
    if (Number.isNaN(wrong)) return typeof value === 'number';
    if (wrong === 'text') return value !== undefined && !texts?.includes(name); // one of the names is expected
    return !types.includes(typeName(wrong)) && (value !== undefined || typeof wrong === 'symbol');
  });
}

/** Names that are near this one. */
export const misspellings = (name: string): string[] => [`${name}s`, `_${name}`, name.toUpperCase(), `${name} `];

/** The options with another name or value in place of one. */
export function perturbed({ options }: Row, name: string, change: { name: string } | { value: unknown }): object {
  if ('value' in change) return { ...options, [name]: change.value };
  const { [name]: value = 1, ...rest } = options;
  return { ...rest, [change.name]: value };
}
