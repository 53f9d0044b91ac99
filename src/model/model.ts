/** A model as plain data: layers, a seed, and the few numbers that were trained. */
import { ShapeError } from '../errors.ts';
import { createGraph, type Graph, input, type Value } from '../graph.ts';
import { addLayer, initialParameters, type LayerSpec, layerParameters, type ParameterSpec } from '../layers/layers.ts';
import { product } from '../shape.ts';
import { type Seed, splitSeed } from '../weights/stream.ts';

export interface Model {
  /** Shape of one input, e.g. [784] or [28, 28]; layers see it flat. */
  readonly input: readonly number[];
  readonly layers: readonly LayerSpec[];
  /** The random weights of every layer follow from this. */
  readonly seed: Seed;
  /** Trained numbers by name: `layers.0.u` (units), `layers.0.b` (units), `layers.1.weight` (fan-in, units). */
  readonly parameters: Map<string, Float32Array<ArrayBuffer>>;
}

/** A model of layers in a row, with its parameters at their start. Throws `ShapeError`, `RangeError` (seed). */
export function sequential(layers: readonly LayerSpec[], options: { input: readonly number[]; seed?: Seed }): Model {
  const { input: shape, seed = 0 } = options;
  splitSeed(seed);
  if (layers.length === 0) throw new ShapeError('sequential: expected at least one layer, got none');
  if (shape.length === 0 || shape.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new ShapeError(`sequential: expected input sizes of 1 or more, got (${shape.join(', ')})`);
  }
  const model: Model = { input: [...shape], layers: [...layers], seed, parameters: new Map() };
  layers.forEach((spec, i) => {
    const fanIn = layerFanIn(model, i);
    const start = initialParameters(spec, i, fanIn, seed);
    layerParameters(spec, i, fanIn).forEach(({ name }, j) => {
      model.parameters.set(name, start[j]!);
    });
  });
  return model;
}

/** Numbers in one input of the model. */
export const inputSize = (model: Pick<Model, 'input'>): number => product(model.input);

/** Numbers in one output. */
export const outputSize = (model: Pick<Model, 'layers'>): number => model.layers.at(-1)!.units;

/** Inputs of layer `index`. */
export const layerFanIn = (model: Pick<Model, 'input' | 'layers'>, index: number): number =>
  index === 0 ? inputSize(model) : model.layers[index - 1]!.units;

/** Parameters of all layers, in order. */
export const modelParameters = (model: Pick<Model, 'input' | 'layers'>): ParameterSpec[] =>
  model.layers.flatMap((spec, i) => layerParameters(spec, i, layerFanIn(model, i)));

/** How many numbers training changes, how many the model file holds, and what stored weights would add. */
export function modelSize(model: Pick<Model, 'input' | 'layers'>): {
  trainedParameters: number;
  storedNumbers: number;
  regeneratedWeights: number;
} {
  const all = modelParameters(model);
  const count = (specs: ParameterSpec[]) => specs.reduce((sum, { shape }) => sum + product(shape), 0);
  const regeneratedWeights = model.layers.reduce(
    (sum, spec, i) => sum + (spec.kind === 'half' ? spec.units * layerFanIn(model, i) : 0),
    0,
  );
  return { trainedParameters: count(all.filter((p) => p.trained)), storedNumbers: count(all), regeneratedWeights };
}

/** The forward graph of a model for a batch of `rows`. */
export interface ForwardGraph {
  readonly graph: Graph;
  /** (rows, input size). */
  readonly x: Value;
  readonly layers: readonly { readonly z: Value; readonly y: Value }[];
  /** (rows, output size). */
  readonly output: Value;
}

export function forwardGraph(model: Model, rows: number): ForwardGraph {
  const graph = createGraph();
  const x = input(graph, 'x', [rows, inputSize(model)]);
  const layers: { z: Value; y: Value }[] = [];
  let y = x;
  model.layers.forEach((spec, i) => {
    const added = addLayer(graph, spec, i, model.seed, y);
    layers.push(added);
    y = added.y;
  });
  return { graph, x, layers, output: y };
}
