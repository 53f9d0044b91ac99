/** Predictions from raw data: what a model says about its data, applied. Loads when `classify` or `estimate` is called. */
import { arrayType, bytesToFloats, toFloat32Array } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { inputSize, type Model, outputSize } from '../model/model.ts';
import type { Preparation, TableInputs } from '../model/preparation.ts';
import { preparationOf } from '../model/preparation-metadata.ts';
import { type Estimate, estimatesOf, type Prediction, predictionsOf } from './predictions.ts';
import { isPicture, type Picture, pictureInputs } from './raw-pictures.ts';
import { signalRows, tableRows } from './raw-rows.ts';

export interface ClassifyOptions {
  /** The most predictions of an input; default all classes, or all labels above the threshold. */
  top?: number;
}

/** What `classify` needs of a predictor. */
interface Computing {
  readonly model: Model;
  predict(inputs: ArrayLike<number>): Promise<Float32Array>;
}

/** A model that says nothing about its data is a classifier of numbers. */
const unknownData: Preparation = { inputs: { kind: 'numbers' }, outputs: { task: 'classification', classes: [] } };

const hasTable = (preparation: Preparation): preparation is Preparation & { inputs: TableInputs } =>
  preparation.inputs.kind === 'table';

/** Whether a value is a list of inputs, not one of them: its first item is an object. */
export const isList = (input: unknown): input is readonly unknown[] =>
  Array.isArray(input) && typeof input[0] === 'object' && input[0] !== null && !(input[0] instanceof Date);

/** Numbers of one input, as they are; bytes become 0 to 1. */
function numbersOf(input: unknown, model: Model, title: string): Float32Array {
  const size = inputSize(model);
  const numbers =
    arrayType(input) === 'Uint8Array' ? bytesToFloats(input as Uint8Array) : toFloat32Array(title, input as number[]);
  if (numbers.length === size) return numbers;
  throw new DataError(`${title}: expected ${size} numbers (${model.input.join(' x ')}), got ${numbers.length}`);
}

/** Inputs one after another; errors start with `title`. Throws `DataError`. */
export async function inputsOf(
  items: readonly unknown[],
  model: Model,
  preparation = unknownData,
  title = 'classify',
): Promise<Float32Array<ArrayBuffer>> {
  const { inputs } = preparation;
  if (hasTable(preparation)) return tableRows(items, preparation, title);
  if (inputs.kind === 'signal') return signalRows(items, inputs, title);
  const pictures = items.filter(isPicture);
  if (pictures.length === items.length) return pictureInputs(pictures as Picture[], model, inputs, title);
  const size = inputSize(model);
  const out = new Float32Array(items.length * size);
  for (const [i, item] of items.entries()) out.set(numbersOf(item, model, title), i * size);
  return out;
}

async function computed(predictor: Computing, input: unknown, preparation: Preparation) {
  const many = isList(input);
  const items = many ? input : [input];
  const inputs = await inputsOf(items, predictor.model, preparation);
  return { many, outputs: await predictor.predict(inputs) };
}

/** See `Predictor.classify`. */
export async function classify(
  predictor: Computing,
  input: unknown,
  options: ClassifyOptions = {},
): Promise<Prediction[] | Prediction[][]> {
  expectOptions('classify', options, { top: 'number' });
  const { top } = options;
  const preparation = preparationOf(predictor.model) ?? unknownData;
  const { outputs: spec } = preparation;
  if (spec.task === 'regression') {
    throw new DataError('classify: expected a model of classes or labels, got one of numbers. Call estimate().');
  }
  const { many, outputs } = await computed(predictor, input, preparation);
  const found = predictionsOf(spec, outputs, { width: outputSize(predictor.model), ...(top !== undefined && { top }) });
  return many ? found : found[0]!;
}

/** See `Predictor.estimate`. */
export async function estimate(predictor: Computing, input: unknown): Promise<Estimate[] | Estimate[][]> {
  const preparation = preparationOf(predictor.model) ?? unknownData;
  const { outputs: spec } = preparation;
  if (spec.task !== 'regression') {
    throw new DataError('estimate: expected a model of regression that names its targets, got none. Call classify().');
  }
  const { many, outputs } = await computed(predictor, input, preparation);
  const found = estimatesOf(spec, outputs);
  return many ? found : found[0]!;
}
