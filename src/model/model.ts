/** A model as plain data: layers, a seed, and the few numbers that were trained. */
import { arrayType } from '../core/arrays.ts';
import { ShapeError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { product } from '../core/shape.ts';
import { createGraph, type Graph, input, parameter } from '../graph/graph.ts';
import type { Value } from '../graph/value.ts';
import type { Added, Phase, Placed } from '../layers/kind.ts';
import { initialParameter, kindOf, layerParameters, type ParameterSpec } from '../layers/kinds.ts';
import type { LayerSpec, Shape } from '../layers/specs.ts';
import { type Seed, splitSeed } from '../weights/stream.ts';

export interface Model {
  /** Shape of one input, e.g. [784], [28, 28] or [32, 32, 3]; dense layers see it flat. */
  readonly input: Shape;
  readonly layers: readonly LayerSpec[];
  /** Determines the random weights of every layer. */
  readonly seed: Seed;
  /** Trained parameters by name: `layers.0.u` (units), `layers.0.b` (units), `layers.1.weight` (fan-in, units). */
  readonly parameters: Map<string, Float32Array<ArrayBuffer>>;
  /**
   * The other metadata of its file, texts by name: those given to `saveModel`, and `preparation` and `card`, which
   * preparation-metadata.ts reads and writes.
   */
  metadata?: Readonly<Record<string, string>>;
}

type Architecture = Pick<Model, 'input' | 'layers'>;

/** A model of successive layers, with initial parameters. Throws `ShapeError`, `RangeError` (seed). */
export function sequential(layers: readonly LayerSpec[], options: { input: Shape; seed?: Seed }): Model {
  expectOptions('sequential', options, { input: 'array', seed: 'any' });
  const { input: shape, seed = 0 } = options;
  splitSeed(seed);
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new ShapeError('sequential: expected an array of at least one layer');
  }
  if (!shape?.length || shape.some((size) => !Number.isSafeInteger(size) || size < 1)) {
    throw new ShapeError(`sequential: expected input sizes of 1 or more, got (${shape ?? ''})`);
  }
  const model: Model = { input: [...shape], layers: [...layers], seed, parameters: new Map() };
  for (const placed of placeLayers(model)) {
    for (const spec of layerParameters(placed)) model.parameters.set(spec.name, initialParameter(placed, spec, seed));
  }
  return model;
}

/**
 * Every layer where it stands, in the order of their numbers. Throws `ShapeError` that names the first that does not
 * fit.
 */
export function placeLayers({ input: shape, layers }: Architecture, found: Placed[] = []): Placed[] {
  for (const spec of layers) {
    const index = found.length;
    let output: Shape;
    try {
      output = kindOf(spec).output(spec, shape);
    } catch (error) {
      throw new ShapeError(`layer ${index} (${spec.kind}): ${(error as Error).message}`);
    }
    found.push({ spec, index, input: shape, output });
    if ('layers' in spec) placeLayers({ input: shape, layers: spec.layers }, found);
    shape = output;
  }
  return found;
}

/** Numbers in one input of the model. */
export const inputSize = (model: Pick<Model, 'input'>): number => product(model.input);

/** Shape of the output of layers in a row. */
export const outputShape = ({ input: shape, layers }: Architecture): Shape =>
  layers.reduce((before, spec) => kindOf(spec).output(spec, before), shape);

/** Numbers in one output. */
export const outputSize = (model: Architecture): number => product(outputShape(model));

/** Throws `ShapeError` unless a model has each of its parameters, as a Float32Array of the right length. */
export function expectParameters(model: Model): void {
  for (const { name, shape } of modelParameters(model)) {
    const values: unknown = model.parameters.get(name);
    const length = product(shape);
    if (arrayType(values) === 'Float32Array' && (values as Float32Array).length === length) continue;
    const got = ArrayBuffer.isView(values)
      ? `${arrayType(values)} of ${(values as Float32Array).length}`
      : arrayType(values);
    throw new ShapeError(`model: expected '${name}' as a Float32Array of ${length} numbers, got ${got}`);
  }
}

/** Parameters of all layers, in order. */
export const modelParameters = (model: Architecture): ParameterSpec[] => placeLayers(model).flatMap(layerParameters);

/** How many numbers training changes, how many the model file holds, and what stored weights would add. */
export function modelSize(model: Architecture): {
  trainedParameters: number;
  storedNumbers: number;
  regeneratedWeights: number;
} {
  const all = modelParameters(model);
  const count = (specs: ParameterSpec[]) => specs.reduce((sum, { shape }) => sum + product(shape), 0);
  const regeneratedWeights = placeLayers(model).reduce(
    (sum, { spec, input }) => sum + (kindOf(spec).regenerated?.(spec, input) ?? 0),
    0,
  );
  return { trainedParameters: count(all.filter((p) => p.trained)), storedNumbers: count(all), regeneratedWeights };
}

/** The forward graph of a model for a batch of `rows`. */
export interface ForwardGraph {
  readonly graph: Graph;
  /** (rows, input size). */
  readonly x: Value;
  /** What each layer added, in the order of their numbers. */
  readonly layers: readonly (Placed & Added)[];
  /** (rows, output size). */
  readonly output: Value;
}

export function forwardGraph(model: Model, rows: number, phase: Phase = 'predict'): ForwardGraph {
  const graph = createGraph();
  const x = input(graph, 'x', [rows, inputSize(model)]);
  const layers: (Placed & Added)[] = [];
  const placed = placeLayers(model);
  let next = 0;
  const addAll = (specs: readonly LayerSpec[], before: Value): Value =>
    specs.reduce((value, spec) => {
      const place = placed[next++]!;
      const parameters = layerParameters(place).map((p) => parameter(graph, p.name, p.shape, p.trained));
      const inner = (start: Value) => addAll('layers' in spec ? spec.layers : [], start);
      const made = kindOf(spec).add({ ...place, graph, seed: model.seed, phase, x: value, parameters, inner });
      layers[place.index] = { ...place, ...made };
      return made.y;
    }, before);
  return { graph, x, layers, output: addAll(model.layers, x) };
}
