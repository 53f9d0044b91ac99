/** Layers of receptive fields: shapes, errors, files, gradients, predictions and training against the reference. */
import { describe, expect, it } from 'vitest';
import { conv1d, conv2d, registerConvolutions } from '../src/convolution.ts';
import { ModelFileError, OptionError, ShapeError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { halfFields, halfFields1d, randomFields, randomFields1d, registerFields } from '../src/fields.ts';
import { allLowerings } from '../src/gpu/lower/all.ts';
import { createPlan } from '../src/gpu/plan.ts';
import type { Value } from '../src/graph/value.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { layerKinds } from '../src/layers/kinds.ts';
import type { LayerSpec } from '../src/layers/specs.ts';
import { UnknownLayerError } from '../src/model/metadata.ts';
import { forwardGraph, type Model, modelSize, outputShape, sequential } from '../src/model/model.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { loadModel } from '../src/predict/load.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { evaluateGraph } from '../src/reference/graph.ts';
import { fit } from '../src/train/fit.ts';
import { prefixValue } from '../src/train/graphs.ts';
import type { FitOptions } from '../src/train/options.ts';
import { expectClose, expectSame } from './compare.ts';
import { testContext } from './gpu.ts';
import { worstGradientError } from './gradients.ts';
import { numbers } from './kernels/harness.ts';
import { stepsOfReference } from './reference-training.ts';

registerConvolutions();

const backends = [
  ['WebGPU', testContext],
  ['the CPU', () => createContext({ backend: 'cpu', threads: 1 })],
] as const;

describe('layers', () => {
  const shapeOf = (layers: LayerSpec[], input: number[]) => outputShape({ layers, input });

  it('take images, colour images and signals, and train two numbers a unit', () => {
    expect(shapeOf([halfFields({ units: 5 })], [8, 9])).toEqual([5]);
    expect(shapeOf([randomFields({ units: 5, weights: 'mexican-hat' })], [8, 9, 3])).toEqual([5]);
    expect(shapeOf([halfFields1d({ units: 5 })], [40])).toEqual([5]);
    expect(shapeOf([randomFields1d({ units: 5 }), dense({ units: 2 })], [40, 3])).toEqual([2]);
    const size = (layer: LayerSpec) => modelSize(sequential([layer, dense({ units: 2 })], { input: [8, 9] }));
    expect(size(halfFields({ units: 5 }))).toEqual({
      trainedParameters: 10 + 12,
      storedNumbers: 22,
      regeneratedWeights: 360,
    });
    expect(size(randomFields({ units: 5 })).trainedParameters).toBe(12);
  });

  it.each<[string, () => unknown, RegExp]>([
    [
      'a plain row',
      () => sequential([halfFields({ units: 3 })], { input: [784] }),
      /layer 0 \(halfFields\): expected an image \(height, width\) or .* got \(784\)\. Give the model an input of that shape/,
    ],
    [
      'a flattened image',
      () => sequential([dense({ units: 9 }), halfFields({ units: 3 })], { input: [3, 3] }),
      /layer 1 .* got \(9\)/,
    ],
    ['a signal of images', () => shapeOf([halfFields1d({ units: 3 })], [4, 4, 2]), /a signal \(length\) or/],
    ['a film', () => shapeOf([halfFields({ units: 3 })], [4, 4, 2, 2]), /an image/],
    ['an endless signal', () => shapeOf([halfFields1d({ units: 3 })], [65536]), /sides of at most 65535/],
    ['no units', () => halfFields({ units: 0 }), /halfFields: expected units to be a positive/],
    [
      'other weights',
      () => halfFields({ units: 2, weights: 'normal' as never }),
      /weights to be one of mexican-hat, patch, binary-patch/,
    ],
    ['a rank', () => randomFields({ units: 2, rank: 3 } as never), /randomFields: expected no rank .* got 3/],
  ])('refuse %s', (_, build, message) => {
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(message);
  });

  it('are not the weights of a dense layer', () => {
    expect(() => halfDense({ units: 2, weights: 'patch' as never })).toThrow(OptionError);
  });

  it('are one dispatch with scale, bias and activation', () => {
    const model = sequential([halfFields({ units: 5, weights: 'mexican-hat' })], { input: [8, 8] });
    const { graph, output } = forwardGraph(model, 2);
    expect(createPlan(graph, allLowerings, { outputs: [output] }).dispatches.map(({ source }) => source.name)).toEqual([
      'random_fields',
    ]);
  });

  it('are a frozen prefix where they stand first', () => {
    const model = sequential([randomFields({ units: 5 }), halfDense({ units: 4 }), dense({ units: 3 })], {
      input: [8, 8],
    });
    const forward = forwardGraph(model, 4, 'train');
    expect(prefixValue(forward.graph, forward.x)).toBe(forward.layers[1]!.z);
  });
});

const networks: [string, () => LayerSpec[], number[]][] = [
  [
    'images',
    () => [
      conv2d({ channels: 2, kernel: 3, activation: 'tanh' }),
      halfFields({ units: 9, weights: 'mexican-hat', activation: 'gelu' }),
      dense({ units: 3 }),
    ],
    [7, 9, 3],
  ],
  [
    'plain images',
    () => [halfFields({ units: 12, weights: 'binary-patch', activation: 'tanh' }), dense({ units: 3 })],
    [8, 9],
  ],
  [
    'signals',
    () => [
      conv1d({ channels: 2, kernel: 5, activation: 'tanh' }),
      halfFields1d({ units: 9, activation: 'gelu' }),
      dense({ units: 3 }),
    ],
    [40],
  ],
];

/** The network's answers in float64. */
function referenceAnswers(model: Model, x: Float32Array, rows: number): Float64Array {
  const forward = forwardGraph(model, rows);
  const values = new Map<Value, Float64Array>([[forward.x, Float64Array.from(x)]]);
  for (const value of forward.graph.values) {
    const numbers = model.parameters.get(value.name);
    if (numbers) values.set(value, Float64Array.from(numbers));
  }
  evaluateGraph(forward.graph, values);
  return values.get(forward.output)!;
}

describe.each(networks)('a network over %s', (_, layers, shape) => {
  const size = shape.reduce((a, b) => a * b, 1);
  const build = () => {
    const model = sequential(layers(), { input: shape, seed: 5 });
    for (const [name, values] of model.parameters) {
      model.parameters.set(
        name,
        values.map((v, i) => v + 0.2 * Math.sin(i)),
      );
    }
    return model;
  };

  it('has the gradients of its difference quotients', () => {
    expect(worstGradientError(layers(), shape, 'crossEntropy')).toBeLessThan(1e-6);
    expect(worstGradientError(layers(), shape, 'meanSquaredError')).toBeLessThan(1e-6);
  });

  it.each(backends)('on %s predicts what the float64 reference does, from a file too', async (_, open) => {
    const context = await open();
    const held = () => (context.backend === 'webgpu' ? context.memory.bytes : 0);
    const bytes = held();
    const [model, rows] = [build(), 5];
    const x = numbers(rows * size, 3, 2);
    const tolerance = { absolute: 2e-5, relative: 1e-5, reason: 'f32 sums, layer behind layer, tanh of WGSL' };
    const predictor = await createPredictor(context, model);
    const got = await predictor.predict(x);
    expectClose(got, referenceAnswers(model, x, rows), tolerance);
    const loaded = await loadModel(context, saveModel(model));
    expectSame(await loaded.predict(x), got);
    await predictor.dispose();
    await loaded.dispose();
    expect(held()).toBe(bytes);
  });

  it('is the same model after a file', () => {
    expect(readModel(saveModel(build()))).toEqual(build());
  });

  it.each(backends)('on %s trains ten steps like the float64 reference', async (_, open) => {
    const rows = 80;
    const labels = Uint32Array.from({ length: rows }, (_, i) => i % 3);
    const features = numbers(rows * size, 9).map(
      (value, i) => value + Math.sin((i % size) * (1 + labels[Math.floor(i / size)]!)),
    );
    const set = dataSet({ features, shape, labels, classes: 3 });
    const optimizer = { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
    const options: FitOptions = { epochs: 1, batchSize: 8, optimizer, learningRate: 0.01, calibrate: false };
    const trained = build();
    for await (const _ of fit(await open(), trained, set, options));
    const want = stepsOfReference(build(), set, { batch: 8, steps: 10, optimizer, learningRate: 0.01 });
    for (const [name, values] of want) {
      const tolerance = { absolute: 3e-4, reason: 'ten steps of 0.01 in f32; Adam divides by sqrt of small moments' };
      expectClose(trained.parameters.get(name)!, values, tolerance, name);
      expect(trained.parameters.get(name)).not.toEqual(build().parameters.get(name));
    }
  });
});

describe('model files', () => {
  const model = () => sequential([halfFields({ units: 4 }), dense({ units: 2 })], { input: [6, 6], seed: 9 });

  it('hold no random number: two a unit, and the last layer', () => {
    const bytes = (units: number) =>
      saveModel(sequential([halfFields({ units }), dense({ units: 2 })], { input: [6, 6] })).length;
    expect(bytes(1100) - bytes(100)).toBeLessThan(1000 * (2 + 2) * 4 + 16);
  });

  it('are refused by name by a reader without these layers; loadModel fetches them', async () => {
    const file = saveModel(model());
    const { halfFields: kind } = layerKinds;
    try {
      delete (layerKinds as { halfFields?: unknown }).halfFields;
      expect(() => readModel(file)).toThrow(UnknownLayerError);
      expect(() => readModel(file)).toThrow(/layer 0 to be one of half, dense.*got .*halfFields.*registerFields\(\)/);
      const loaded = await loadModel(await createContext({ backend: 'cpu', threads: 1 }), file);
      expect(layerKinds.halfFields).toBe(kind);
      expect(await loaded.predict(new Float32Array(36))).toHaveLength(2);
      await loaded.dispose();
    } finally {
      registerFields();
    }
  });

  const changed = (fields: object) => {
    const file = saveModel(model());
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    const [first, ...others] = JSON.parse(header.__metadata__.layers);
    header.__metadata__.layers = JSON.stringify([{ ...first, ...fields }, ...others]);
    const json = new TextEncoder().encode(JSON.stringify(header));
    const out = new Uint8Array(8 + json.length + file.length - 8 - length);
    new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
    out.set(json, 8);
    out.set(file.subarray(8 + length), 8 + json.length);
    return out;
  };

  it.each<[string, object, RegExp]>([
    ['other weights', { weights: 'normal' }, /weights to be one of mexican-hat/],
    ['another number of directions', { directions: 3 }, /directions to be one of 1, 2/],
    ['less than no units', { units: -1 }, /units to be a positive integer/],
    ['a word for trained', { trained: 'yes' }, /trained to be one of true, false/],
    ['a field too many', { sides: 3 }, /layer 0: halfFields: unknown option 'sides'/],
  ])('refuse %s', (_, fields, message) => {
    expect(() => readModel(changed(fields))).toThrow(ModelFileError);
    expect(() => readModel(changed(fields))).toThrow(message);
  });
});
