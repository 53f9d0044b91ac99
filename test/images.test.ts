/** Layers over images and signals: shapes, errors, files, gradients, predictions and training against the reference. */
import { describe, expect, it } from 'vitest';
import {
  averagePool1d,
  averagePool2d,
  conv1d,
  conv2d,
  dropout,
  flatten,
  gated,
  globalAveragePool,
  halfConv1d,
  halfConv2d,
  maxPool1d,
  maxPool2d,
  randomConv2d,
  residual,
} from '../src/convolution.ts';
import { ModelFileError, ShapeError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { allLowerings } from '../src/gpu/lower/all.ts';
import { createPlan } from '../src/gpu/plan.ts';
import { frozenPrefix } from '../src/graph/differentiate.ts';
import type { Value } from '../src/graph/value.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import type { LayerSpec } from '../src/layers/specs.ts';
import { forwardGraph, type Model, modelSize, outputShape, placeLayers, sequential } from '../src/model/model.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { loadModel } from '../src/predict/load.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { evaluateGraph } from '../src/reference/graph.ts';
import { calibrate } from '../src/train/calibrate.ts';
import { fit } from '../src/train/fit.ts';
import { prefixValue } from '../src/train/graphs.ts';
import type { FitOptions } from '../src/train/options.ts';
import { expectClose, expectSame } from './compare.ts';
import { testContext } from './gpu.ts';
import { worstGradientError } from './gradients.ts';
import { numbers } from './kernels/harness.ts';
import { stepsOfReference } from './reference-training.ts';

const backends = [
  ['WebGPU', testContext],
  ['the CPU', () => createContext({ backend: 'cpu', threads: 1 })],
] as const;

const shapeOf = (layers: LayerSpec[], input: number[]) => outputShape({ layers, input });

describe('shapes', () => {
  it.each<[string, LayerSpec[], number[], number[]]>([
    ['an image without channels', [conv2d({ channels: 5, kernel: 3 })], [28, 28], [26, 26, 5]],
    ['same padding', [halfConv2d({ channels: 5, kernel: [5, 3], padding: 'same' })], [9, 8, 3], [9, 8, 5]],
    ['stride and dilation', [conv2d({ channels: 2, kernel: 3, stride: 2, dilation: 2 })], [11, 12, 1], [4, 4, 2]],
    ['a signal', [conv1d({ channels: 4, kernel: 5, padding: 2 })], [100], [100, 4]],
    ['a signal with channels', [halfConv1d({ channels: 4, kernel: 5, stride: 3 })], [100, 6], [32, 4]],
    ['pools', [maxPool2d({ size: 2 }), averagePool2d({ size: [3, 2], stride: 1 })], [28, 27, 2], [12, 12, 2]],
    ['pools of a signal', [maxPool1d({ size: 4 }), averagePool1d({ size: 2 })], [100, 3], [12, 3]],
    ['the global mean', [globalAveragePool()], [7, 7, 12], [12]],
    ['flatten, dropout, dense', [flatten(), dropout({ rate: 0.5 }), dense({ units: 3 })], [4, 4, 2], [3]],
    ['a residual block', [residual([conv2d({ channels: 2, kernel: 3, padding: 1 })])], [4, 5, 2], [4, 5, 2]],
    ['a gated block', [gated([conv2d({ channels: 2, kernel: 3, padding: 1 })])], [4, 5, 2], [4, 5, 2]],
  ])('%s', (_, layers, input, output) => {
    expect(shapeOf(layers, input)).toEqual(output);
  });

  it('layers within layers are numbered where they stand', () => {
    const block = residual([conv2d({ channels: 2, kernel: 1 }), halfConv2d({ channels: 2, kernel: 3, padding: 1 })]);
    const model = sequential([block, flatten(), dense({ units: 3 })], { input: [4, 4, 2] });
    expect(placeLayers(model).map(({ index, spec }) => `${index} ${spec.kind}`)).toEqual([
      '0 residual',
      '1 conv',
      '2 halfConv',
      '3 flatten',
      '4 dense',
    ]);
    expect([...model.parameters.keys()]).toEqual([
      'layers.1.weight',
      'layers.1.b',
      'layers.2.u',
      'layers.2.b',
      'layers.4.weight',
      'layers.4.b',
    ]);
    const weights = forwardGraph(model, 1).graph.nodes.flatMap((node) =>
      node.op === 'randomConv' ? [node.weights.tensor] : [],
    );
    expect(weights).toEqual([2]);
  });

  it('count what is trained, stored and regenerated', () => {
    const layers = [halfConv2d({ channels: 16, kernel: 3 }), conv2d({ channels: 8, kernel: 3 }), dense({ units: 2 })];
    expect(modelSize({ layers, input: [10, 10, 3] })).toEqual({
      trainedParameters: 2 * 16 + 9 * 16 * 8 + 8 + 36 * 8 * 2 + 2,
      storedNumbers: 2 * 16 + 9 * 16 * 8 + 8 + 36 * 8 * 2 + 2,
      regeneratedWeights: 16 * 27,
    });
    expect(modelSize({ layers: [halfDense({ units: 50, rank: 3 })], input: [20] })).toEqual({
      trainedParameters: 20 * 3 + 100,
      storedNumbers: 160,
      regeneratedWeights: 150,
    });
  });
});

describe('refused', () => {
  it.each<[string, () => unknown, RegExp]>([
    [
      'a plain row',
      () => shapeOf([conv2d({ channels: 2, kernel: 3 })], [784]),
      /layer|expected an image .* got \(784\)/,
    ],
    [
      'a kernel larger than the image',
      () => sequential([conv2d({ channels: 2, kernel: 5 })], { input: [4, 9] }),
      /layer 0 \(conv\): expected a kernel that fits into the image, got 5 x 5 over 4 x 9 with padding 0 x 0/,
    ],
    ['a signal of images', () => shapeOf([conv1d({ channels: 2, kernel: 3 })], [4, 4, 2]), /a signal \(length\)/],
    ['an even kernel, padded to the same', () => conv2d({ channels: 2, kernel: 4, padding: 'same' }), /odd sizes/],
    ['no channels', () => halfConv2d({ channels: 0, kernel: 3 }), /halfConv2d: expected channels to be a positive/],
    [
      'a wrong stride',
      () => conv2d({ channels: 2, kernel: 3, stride: 1.5 }),
      /stride to be a positive integer, got 1.5/,
    ],
    ['a negative padding', () => conv2d({ channels: 2, kernel: 3, padding: -1 }), /padding to be an integer of 0/],
    [
      'three sizes',
      () => conv2d({ channels: 2, kernel: [3, 3, 3] as unknown as [number, number] }),
      /kernel to be a number or 2, got 3, 3, 3/,
    ],
    [
      'orthogonal filters',
      () => halfConv2d({ channels: 2, kernel: 3, weights: 'orthogonal' as never }),
      /weights to be/,
    ],
    ['dropout of all', () => dropout({ rate: 1 }), /rate of 0 or more and below 1, got 1/],
    [
      'a block that changes the shape',
      () => shapeOf([residual([conv2d({ channels: 3, kernel: 3 })])], [8, 8, 3]),
      /keep the shape \(8, 8, 3\), got \(6, 6, 3\)/,
    ],
    ['an empty block', () => residual([]), /at least one layer/],
    ['an empty gated block', () => gated([]), /at least one layer/],
    ['the global mean of a row', () => shapeOf([globalAveragePool()], [12]), /sizes and channels, got \(12\)/],
    ['a rank of nothing', () => halfDense({ units: 3, rank: 0 }), /rank to be a positive integer, got 0/],
  ])('%s', (_, build, message) => {
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(message);
  });
});

/** Every kind of layer over images. */
const everything = (): LayerSpec[] => [
  halfConv2d({ channels: 6, kernel: 3, padding: 1, weights: 'binary', activation: 'gelu' }),
  maxPool2d({ size: 2 }),
  residual([
    halfConv2d({ channels: 6, kernel: 3, padding: 'same', activation: 'tanh' }),
    dropout({ rate: 0.25 }),
    conv2d({ channels: 6, kernel: [1, 3], padding: [0, 1], activation: 'identity' }),
  ]),
  conv2d({ channels: 5, kernel: 3, stride: [2, 1], dilation: [1, 2], padding: 1, activation: 'tanh' }),
  averagePool2d({ size: [2, 3], stride: 1 }),
  halfDense({ units: 9, rank: 4, activation: 'gelu' }),
  dense({ units: 3 }),
];
const signal = (): LayerSpec[] => [
  halfConv1d({ channels: 5, kernel: 5, stride: 2, padding: 2, weights: 'sparse', activation: 'tanh' }),
  maxPool1d({ size: 3, stride: 2 }),
  gated([halfConv1d({ channels: 5, kernel: 3, padding: 'same', activation: 'sigmoid' })]),
  halfConv1d({ channels: 7, kernel: 3, dilation: 2, activation: 'gelu' }),
  globalAveragePool(),
  flatten(),
  dense({ units: 3 }),
];
const networks: [string, () => LayerSpec[], number[]][] = [
  ['images', everything, [10, 11]],
  ['colour images', everything, [8, 10, 3]],
  ['signals', signal, [40, 3]],
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
    for (const [name, values] of model.parameters)
      model.parameters.set(
        name,
        values.map((v, i) => v + 0.2 * Math.sin(i)),
      );
    return model;
  };

  it('has the gradients of its difference quotients', () => {
    expect(worstGradientError(layers(), shape, 'crossEntropy')).toBeLessThan(1e-6);
    expect(worstGradientError(layers(), shape, 'meanSquaredError')).toBeLessThan(1e-6);
  });

  it.each(backends)(
    'on %s predicts what the float64 reference does, from a file too, whatever the batch',
    async (_, open) => {
      const context = await open();
      const held = () => (context.backend === 'webgpu' ? context.memory.bytes : 0);
      const bytes = held();
      const model = build();
      const rows = 5;
      const x = numbers(rows * size, 3, 2);
      const want = referenceAnswers(model, x, rows);
      const tolerance = { absolute: 2e-5, relative: 1e-5, reason: 'f32 sums, layer behind layer, tanh of WGSL' };
      const predictor = await createPredictor(context, model);
      const got = await predictor.predict(x);
      expectClose(got, want, tolerance);
      expectClose(await predictor.predict(x.subarray(0, 2 * size)), want.subarray(0, 6), tolerance);
      const loaded = await loadModel(context, saveModel(model));
      expectSame(await loaded.predict(x), got);
      await predictor.dispose();
      await loaded.dispose();
      expect(held()).toBe(bytes);
    },
  );

  it('is the same model after a file', () => {
    const model = build();
    expect(readModel(saveModel(model))).toEqual(model);
  });

  const data = (rows: number) => {
    const labels = Uint32Array.from({ length: rows }, (_, i) => i % 3);
    const noise = numbers(rows * size, 9);
    const features = noise.map((value, i) => value + 0.4 * Math.sin((i % size) * (1 + labels[Math.floor(i / size)]!)));
    return dataSet({ features, shape, labels, classes: 3 });
  };

  const optimizers = [
    { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    { kind: 'sgd', momentum: 0.9 },
  ] as const;
  it.each(
    optimizers.flatMap((optimizer) =>
      backends.map(([backend, open]) => ({ kind: optimizer.kind, optimizer, backend, open })),
    ),
  )('on $backend trains ten steps like the float64 reference, dropout included: $kind', async ({ optimizer, open }) => {
    const trained = build();
    const set = data(80);
    const options: FitOptions = { epochs: 1, batchSize: 8, optimizer, learningRate: 0.01, calibrate: false };
    for await (const _ of fit(await open(), trained, set, options));
    const want = stepsOfReference(build(), set, { batch: 8, steps: 10, optimizer, learningRate: 0.01 });
    for (const [name, values] of want) {
      const tolerance = { absolute: 3e-4, reason: 'ten steps of 0.01 in f32; Adam divides by sqrt of small moments' };
      expectClose(trained.parameters.get(name)!, values, tolerance, name);
      expect(trained.parameters.get(name)).not.toEqual(build().parameters.get(name));
    }
  });

  it.each(backends)('on %s starts half channels at mean 0 and variance 1 over all positions', async (_, open) => {
    const model = sequential(layers(), { input: shape, seed: 5 });
    const set = data(60);
    await calibrate(await open(), model, set);
    const forward = forwardGraph(model, set.rows);
    const values = new Map<Value, Float64Array>([[forward.x, Float64Array.from(set.features)]]);
    for (const value of forward.graph.values) {
      const numbers = model.parameters.get(value.name);
      if (numbers) values.set(value, Float64Array.from(numbers));
    }
    evaluateGraph(forward.graph, values);
    let checked = 0;
    for (const { spec, index, z } of forward.layers) {
      if (spec.kind !== 'halfConv' && spec.kind !== 'half') continue;
      const channels = spec.kind === 'half' ? spec.units : spec.channels;
      const [u, b] = ['u', 'b'].map((name) => model.parameters.get(`layers.${index}.${name}`)!);
      const all = values.get(z!)!;
      for (let c = 0; c < channels; c++) {
        const a = all.filter((_, i) => i % channels === c).map((value) => u![c]! * value + b![c]!);
        const mean = a.reduce((sum, value) => sum + value, 0) / a.length;
        expect(mean).toBeCloseTo(0, 3);
        expect(a.reduce((sum, value) => sum + value * value, 0) / a.length).toBeCloseTo(1, 2);
        checked++;
      }
    }
    expect(checked).toBeGreaterThan(10);
  });
});

describe('the frozen prefix', () => {
  const prefixOf = (layers: LayerSpec[]) => {
    const forward = forwardGraph(sequential(layers, { input: [8, 8, 2], seed: 3 }), 4, 'train');
    return { ...forward, read: frozenPrefix(forward.graph, forward.x), prefix: prefixValue(forward.graph, forward.x) };
  };

  it("is a first half convolution's product", () => {
    const { prefix, layers } = prefixOf([halfConv2d({ channels: 4, kernel: 3 }), dense({ units: 3 })]);
    expect(prefix).toBe(layers[0]!.z);
  });

  it('goes through random layers and pools', () => {
    const { prefix, layers } = prefixOf([
      randomConv2d({ channels: 4, kernel: 3 }),
      maxPool2d({ size: 2 }),
      halfDense({ units: 5 }),
      dense({ units: 3 }),
    ]);
    expect(prefix).toBe(layers[2]!.z);
  });

  it('ends in front of a dropout, and at a trained factor', () => {
    const first = prefixOf([randomConv2d({ channels: 4, kernel: 3 }), dropout({ rate: 0.5 }), dense({ units: 3 })]);
    expect(first.prefix).toBe(first.layers[0]!.z);
    const ranked = prefixOf([halfDense({ units: 5, rank: 2 }), dense({ units: 3 })]);
    expect(ranked.prefix).toBe(ranked.x);
  });

  it('is the input where several constants are read', () => {
    const { prefix, read, x } = prefixOf([
      residual([halfConv2d({ channels: 2, kernel: 3, padding: 1 })]),
      dense({ units: 3 }),
    ]);
    expect(read).toHaveLength(2);
    expect(prefix).toBe(x);
  });

  it.each(backends)(
    'on %s gives the same parameters, bit for bit, cached and computed in each step',
    async (_, open) => {
      const train = async (layers: LayerSpec[], prefixBudget: number) => {
        const model = sequential(layers, { input: [6, 6, 1], seed: 3 });
        const set = dataSet({
          features: numbers(200 * 36, 4),
          shape: [6, 6, 1],
          labels: Uint32Array.from({ length: 200 }, (_, i) => i % 3),
        });
        for await (const _ of fit(await open(), model, set, { epochs: 2, batchSize: 16, prefixBudget }));
        return Float32Array.from([...model.parameters.values()].flatMap((values) => [...values]));
      };
      for (const layers of [
        [halfConv2d({ channels: 4, kernel: 3, padding: 1 }), maxPool2d({ size: 2 }), dense({ units: 3 })],
        [randomConv2d({ channels: 4, kernel: 3 }), dropout({ rate: 0.5 }), flatten(), dense({ units: 3 })],
        [residual([halfConv2d({ channels: 1, kernel: 3, padding: 1 })]), dense({ units: 3 })],
      ]) {
        expectSame(await train(layers, 2 ** 30), await train(layers, 0), layers[0]!.kind);
      }
    },
  );
});

describe('plans', () => {
  const plan = (layers: LayerSpec[], input: number[]) => {
    const { graph, output } = forwardGraph(sequential(layers, { input }), 2);
    return createPlan(graph, allLowerings, { outputs: [output] }).dispatches.map(({ source }) => source.name);
  };

  it('fuse scale, bias and activation, pad where there is padding, and drop dropout', () => {
    const layers = [
      halfConv2d({ channels: 4, kernel: 3 }),
      conv2d({ channels: 4, kernel: 3, padding: 1 }),
      dropout({ rate: 0.5 }),
    ];
    expect(plan(layers, [8, 8])).toEqual(['random_conv', 'pad_image', 'conv']);
  });
});

describe('model files refuse', () => {
  const withLayers = (layers: unknown) => {
    const file = saveModel(sequential([dense({ units: 2 })], { input: [6, 6] }));
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    header.__metadata__.layers = typeof layers === 'string' ? layers : JSON.stringify(layers);
    const json = new TextEncoder().encode(JSON.stringify(header));
    const out = new Uint8Array(8 + json.length);
    new DataView(out.buffer).setBigUint64(0, BigInt(json.length), true);
    out.set(json, 8);
    return out;
  };
  const good = { ...halfConv2d({ channels: 2, kernel: 3 }) };
  const nested = (depth: number): unknown => (depth ? { kind: 'residual', layers: [nested(depth - 1)] } : good);

  it.each<[string, unknown, RegExp]>([
    [
      'an unknown kind',
      [{ kind: 'attention' }],
      /layer 0 to be one of half, dense, .*residual.*; got .*attention.*newer/,
    ],
    ['a kind of every object', [{ kind: 'constructor' }], /layer 0 to be one of/],
    ['a missing field', [{ ...good, stride: undefined }], /layer 0 to have activation, channels/],
    [
      'a field too many',
      [{ ...good, groups: 2 }],
      /layer 0: half[Cc]onv[^ ]*: unknown option 'groups'|layer 0: conv: unknown option 'groups'/,
    ],
    [
      'an option that is none',
      [{ ...good, trained: 1 }],
      /layer 0: halfConv: expected trained to be one of true, false/,
    ],
    [
      'a fraction',
      [{ ...good, stride: [1.5, 1] }],
      /layer 0: halfConv: expected stride to be a positive integer, got 1.5/,
    ],
    ['a kernel of text', [{ ...good, kernel: '3' }], /kernel to be (a positive integer|of type number or array)/],
    ['a kernel in three directions', [{ ...good, kernel: [3, 3, 3] }], /kernel to be a number or 2/],
    ['a kernel that does not fit', [{ ...good, kernel: [9, 9] }], /layer 0 \(halfConv\): .*fits into the image/],
    ['monstrous padding', [{ ...good, padding: [1e5, 1e5] }], /numbers/],
    ['a wrong rate', [{ kind: 'dropout', rate: 'half' }], /rate of 0 or more and below 1, got half/],
    ['a wrong pool', [{ kind: 'pool', pool: 'min', size: [2, 2], stride: [2, 2] }], /pool to be one of max, average/],
    ['an empty block', [{ kind: 'residual', layers: [] }], /at least one layer/],
    ['a wrong layer in a block', [{ kind: 'residual', layers: [{ kind: 'x' }] }], /layer 0.0 to be one of/],
    ['a block without layers', [{ kind: 'residual', layers: 'none' }], /at least one layer/],
    ['endless blocks', [nested(20)], /at most 8 deep/],
    [
      'a ranked random layer',
      [{ ...halfDense({ units: 2, rank: 1 }), trained: false }],
      /layer 0: randomDense: unknown option 'rank'/,
    ],
  ])('%s', (_, layers, message) => {
    expect(() => readModel(withLayers(layers))).toThrow(ModelFileError);
    expect(() => readModel(withLayers(layers))).toThrow(message);
  });
});
