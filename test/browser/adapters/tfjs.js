/** Runs in the page: `weightless-gpu/tfjs` with the real TensorFlow.js. Returns plain values, which the test checks. */
import * as core from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgpu';
import * as layers from '@tensorflow/tfjs-layers';
import { createContext, dense, halfDense, integerWeights, sequential, weightScale } from 'weightless-gpu';
import { connect } from 'weightless-gpu/tfjs';
import { dataSet, fit } from 'weightless-gpu/train';

const tf = { ...core, ...layers };
const wave = (count, step) => Float32Array.from({ length: count }, (_, i) => Math.sin(step * i + Math.cos(i)));
const weightsOf = (parameters, names) => names.map((name) => tf.tensor(...parameters(name)));

/** Error messages for another backend, and for a library without layers. */
async function refusals() {
  await tf.setBackend('cpu');
  const before = await connect(tf).catch(({ name, message }) => `${name}: ${message}`);
  await tf.setBackend('webgpu');
  await tf.ready();
  const bare = await connect(core);
  let withoutLayers;
  try {
    bare.halfDense({ units: 1 });
  } catch ({ message }) {
    withoutLayers = message;
  }
  return { before, withoutLayers };
}

/** The random product, its gradient and its second gradient for x with three axes, compared with a stored matrix. */
async function product() {
  const { randomMatmul } = await connect(tf);
  const [k, n] = [33, 20];
  const options = { weights: 'sparse', seed: 2n ** 60n, tensor: 3 };
  const integers = integerWeights({ seed: options.seed, tensor: 3, distribution: 'sparse' }, [0, k], [0, n]);
  const stored = tf.tensor2d(
    Float32Array.from(integers, (v) => v * weightScale('sparse', k)),
    [k, n],
  );
  const x = tf.tensor(wave(2 * 3 * k, 0.7), [2, 3, k]);
  const ours = (x) => randomMatmul(x, n, options);
  const theirs = (x) => tf.matMul(x.reshape([6, k]), stored).reshape([2, 3, n]);
  const penalty = (f) => (x) =>
    tf
      .grad((x) => f(x).square().sum())(x)
      .square()
      .sum();
  const all = async (f) => {
    const values = [f(x), tf.grad((x) => f(x).square().sum())(x), tf.grad(penalty(f))(x)];
    return { shapes: values.map(({ shape }) => shape), data: await Promise.all(values.map((t) => t.data())) };
  };
  const [a, b] = [await all(ours), await all(theirs)];
  const worst = a.data.map((values, i) => {
    const largest = Math.max(...b.data[i].map(Math.abs));
    return Math.max(...values.map((v, j) => Math.abs(v - b.data[i][j]))) / largest;
  });
  return { worst, shapes: a.shapes, expected: b.shapes };
}

/** The same network, data, start and optimizer, trained by `fit` and by TensorFlow.js through the adapter. */
async function losses() {
  const [rows, inputs, epochs, rate] = [96, 20, 30, 0.01];
  const kind = { weights: 'binary', activation: 'tanh' }; // only one of each, because pipelines compile slowly
  const specs = [halfDense({ units: 32, ...kind }), halfDense({ units: 24, ...kind }), dense({ units: 4 })];
  const model = sequential(specs, { input: [inputs], seed: 11 });
  const features = wave(rows * inputs, 1.3);
  const labels = Int32Array.from(
    { length: rows },
    (_, i) => (features[i * inputs] > 0 ? 2 : 0) + (features[i * inputs + 1] > 0 ? 1 : 0),
  );
  const shapes = { u0: [32], u1: [24], b0: [32], b1: [24], weight2: [24, 4], b2: [4] };
  const parameters = (name) => [
    model.parameters.get(`layers.${name.at(-1)}.${name.slice(0, -1)}`).slice(),
    shapes[name],
  ];

  const { halfDense: half } = await connect(tf);
  const net = tf.sequential();
  net.add(half({ units: 32, ...kind, seed: 11, tensor: 0, inputShape: [inputs] }));
  net.add(half({ units: 24, ...kind, seed: 11, tensor: 1 }));
  net.add(tf.layers.dense({ units: 4 }));
  net.setWeights(weightsOf(parameters, ['u0', 'b0', 'u1', 'b1', 'weight2', 'b2']));
  const loss = (y, logits) => tf.losses.softmaxCrossEntropy(y, logits);
  net.compile({ optimizer: tf.train.adam(rate, 0.9, 0.999, 1e-8), loss });
  const x = tf.tensor2d(features, [rows, inputs]);
  const y = tf.oneHot(tf.tensor1d(labels, 'int32'), 4).toFloat();
  const { history } = await net.fit(x, y, { epochs, batchSize: rows, shuffle: false, verbose: 0 });

  const context = await createContext({ backend: 'webgpu' });
  const own = [];
  const data = dataSet({ features, shape: [inputs], labels });
  const options = { epochs, batchSize: rows, learningRate: rate, calibrate: false };
  for await (const report of fit(context, model, data, options)) own.push(report.loss);
  const adapter = context.backend;
  await context.dispose();

  const before = await net.predict(x).data();
  let file;
  await net.save(
    tf.io.withSaveHandler(async (artifacts) => {
      file = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
  const text = JSON.parse(JSON.stringify(file.modelTopology)); // as in a file
  const loaded = await tf.loadLayersModel(tf.io.fromMemory({ ...file, modelTopology: text }));
  const after = await loaded.predict(x).data();
  return {
    adapter,
    own,
    theirs: history.loss,
    trainable: net.countParams(),
    bytes: file.weightData.byteLength,
    saved: before.every((v, i) => v === after[i]),
  };
}

/**
 * A VeRA adapter: starts equal to the wrapped dense layer, trains only d and b, and is saved with the wrapped layer.
 */
async function vera() {
  const { veraDense, randomMatmul } = await connect(tf);
  const [k, n, rows] = [16, 8, 32];
  const layer = veraDense({ units: n, rank: 4, seed: 5, inputShape: [k] });
  const net = tf.sequential({ layers: [layer] });
  const [kernel, bias] = [tf.tensor2d(wave(k * n, 2.1), [k, n]), tf.tensor1d(wave(n, 0.3))];
  const [d, b] = layer.getWeights();
  layer.setWeights([d, b, kernel, bias]);
  const x = tf.tensor2d(wave(rows * k, 0.9), [rows, k]);
  const plain = tf.matMul(x, kernel).add(bias);
  const start = await net.predict(x).sub(plain).abs().max().data();
  net.compile({ optimizer: tf.train.adam(0.05), loss: 'meanSquaredError' });
  const target = randomMatmul(randomMatmul(x, 4, { seed: 5 }).mul(0.5), n, { seed: 5, tensor: 1 }).add(plain);
  const { history } = await net.fit(x, target, { epochs: 40, batchSize: rows, shuffle: false, verbose: 0 });
  const kept = await layer.getWeights()[2].sub(kernel).abs().max().data();
  return {
    start: start[0],
    kept: kept[0],
    trained: layer.trainableWeights.map(({ name, shape }) => [name.split('/').at(-1), shape]),
    losses: history.loss,
  };
}

/** Tensors and bytes of the backend, before and after a hundred training steps with changing batch sizes. */
async function leaks() {
  const connection = await connect(tf);
  const { randomMatmul, context } = connection;
  const step = (rows) =>
    tf.tidy(() => {
      const x = tf.ones([rows, 8]);
      tf.grad((x) => randomMatmul(x, 8, { weights: 'sparse' }).square().sum())(x).dataSync === undefined;
    });
  for (let i = 0; i < 200; i++) step(1 + (i % 100)); // more shapes than the cache holds
  await tf.backend().queue.onSubmittedWorkDone();
  const now = () => [tf.memory().numTensors, tf.memory().numBytesInGPU, context.memory.bytes].join();
  const before = now();
  for (let i = 0; i < 200; i++) step(1 + (i % 100));
  await tf.backend().queue.onSubmittedWorkDone();
  const after = now();
  connection.dispose();
  return { before, after, left: context.memory.bytes };
}

/** Every element type of TensorFlow.js and every state of a tensor, compared with the same numbers as float32. */
async function types() {
  const { randomMatmul, halfDense } = await connect(tf);
  const [k, n] = [4, 5];
  const layer = halfDense({ units: n, seed: 1, inputShape: [k] });
  const net = tf.sequential({ layers: [layer] });
  const integers = [1, 2, 3, 4, 0, -5, 6, 7];
  const truths = [1, 0, 1, 1, 0, 1, 0, 0];
  const floats = (values) => tf.tensor2d(Float32Array.from(values), [2, k]);
  const onDevice = async (tensor) => {
    const made = tensor.add(tf.scalar(0, tensor.dtype)); // computed by the backend
    await made.data();
    return made;
  };
  const pixels = tf.browser.fromPixels(
    new ImageData(
      Uint8ClampedArray.from({ length: 16 }, (_, i) => 15 * i),
      2,
      2,
    ),
    4,
  );
  const bytes = floats(Array.from({ length: 16 }, (_, i) => 15 * i).slice(0, 8));
  const oneHot = tf.oneHot(tf.tensor1d([2, 0], 'int32'), k);
  const hot = floats([0, 0, 1, 0, 1, 0, 0, 0]);
  const int32 = tf.tensor2d(integers, [2, k], 'int32');
  const bool = tf.tensor2d(truths, [2, k], 'bool');
  const wide = tf.tensor2d([...integers, ...integers], [4, k], 'int32');
  const pairs = {
    int32: [int32, floats(integers)],
    'int32 toFloat': [int32.toFloat(), floats(integers)],
    'int32 on the device': [await onDevice(int32), floats(integers)],
    bool: [bool, floats(truths)],
    'bool toFloat': [bool.toFloat(), floats(truths)],
    oneHot: [oneHot, hot],
    'oneHot toFloat': [oneHot.toFloat(), hot],
    fromPixels: [pixels.slice([0, 0, 0], [1, 2, 4]).reshape([2, k]), bytes],
    'fromPixels toFloat': [pixels.toFloat().slice([0, 0, 0], [1, 2, 4]).reshape([2, k]), bytes],
    'slice of int32': [wide.slice([2, 0], [2, k]), floats(integers)],
    'reshape of int32': [int32.reshape([k, 2]).reshape([2, k]), floats(integers)],
    'transpose of float32': [floats(integers).reshape([k, 2]).transpose(), floats([1, 3, 0, 6, 2, 4, -5, 7])],
    'gather of int32': [tf.gather(wide, tf.tensor1d([0, 3], 'int32')), floats(integers)],
  };
  const worst = {};
  for (const [name, [x, same]] of Object.entries(pairs)) {
    const make = (x) => [randomMatmul(x, n, { seed: 1 }), net.predict(x)];
    const [got, want] = [make(x), make(same)];
    let difference = 0;
    for (const i of [0, 1]) {
      const [a, b] = [await got[i].data(), await want[i].data()];
      difference = Math.max(difference, ...b.map((v, j) => (v === a[j] ? 0 : Math.abs(v - a[j]) || 1)));
      if (b.every((v) => v === 0)) difference = Number.NaN;
    }
    worst[name] = difference;
  }
  const gone = floats(integers);
  gone.dispose();
  const refused = {};
  const others = {
    disposed: gone,
    complex64: tf.complex(floats(integers), floats(integers)),
    string: tf.tensor2d(['a', 'b', 'c', 'd'], [1, k]),
  };
  for (const [name, x] of Object.entries(others)) {
    try {
      await randomMatmul(x, n).data();
      refused[name] = 'an answer';
    } catch (error) {
      refused[name] = `${error.name}: ${error.message}`;
    }
  }
  return { worst, refused };
}

window.tests = { refusals, product, types, losses, vera, leaks };
