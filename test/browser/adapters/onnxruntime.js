/** In the page: `weightless-gpu/onnxruntime` between two sessions of the real ONNX Runtime Web, on its device. */

import { integerWeights, weightScale } from 'weightless-gpu';
import { connect } from 'weightless-gpu/onnxruntime';
import { denseModel } from '../../../bench/engines/onnx-model.ts';

const wave = (count, step) => Float32Array.from({ length: count }, (_, i) => Math.sin(step * i + Math.cos(i)));

/** dense 12 -> 33 (ORT), half 33 -> 20 (ours), dense 20 -> 4 (ORT), in float64 beside it. */
async function sandwich() {
  const ort = await import('/ort.webgpu.min.mjs');
  ort.env.wasm.wasmPaths = '/';
  ort.env.wasm.numThreads = 1;
  const early = await connect({ ...ort, env: { webgpu: {} } }).catch(({ name, message }) => `${name}: ${message}`);
  const [m, inputs, k, n, classes] = [6, 12, 33, 20, 4];
  const [w1, b1, w2, b2] = [wave(inputs * k, 0.3), wave(k, 0.5), wave(n * classes, 0.8), wave(classes, 0.2)];
  const options = { executionProviders: ['webgpu'], preferredOutputLocation: 'gpu-buffer' };
  const first = await ort.InferenceSession.create(
    denseModel(m, inputs, [{ weights: w1, bias: b1, relu: true }]),
    options,
  );
  const second = await ort.InferenceSession.create(denseModel(m, n, [{ weights: w2, bias: b2, relu: false }]), {
    executionProviders: ['webgpu'],
  });
  const { halfDense, run, context } = await connect(ort);
  const [scale, bias] = [wave(n, 0.4), wave(n, 0.6)];
  const half = { fanIn: k, units: n, weights: 'binary', seed: 9, activation: 'relu' };
  const layer = halfDense({ ...half, scale, bias });
  const x = wave(m * inputs, 1.1);
  const hidden = (await first.run({ x: new ort.Tensor('float32', x, [m, inputs]) })).y;
  const between = await layer.run(hidden);
  const answer = await second.run({ x: between });
  const got = await answer.y.getData();
  const z = await run(
    { op: 'randomMatmul', m, k, n, weights: { seed: 9, tensor: 0, distribution: 'binary' } },
    { x: hidden },
  );
  const product = await z.y.getData();

  const rows = ort.Tensor.fromGpuBuffer(hidden.gpuBuffer, { dataType: 'float32', dims: [2, 3, k] });
  const deep = await layer.run(rows); // three axes: the last are the inputs
  const flat = await between.getData(); // and the tensor stays where it is
  const alike = { dims: deep.dims, same: String(await deep.getData()) === String(flat) };
  deep.dispose();

  const refused = await layer
    .run(new ort.Tensor('float32', new Float32Array(m * k), [m, k]))
    .catch(({ name, message }) => `${name}: ${message}`);
  const shape = await layer.run(between).catch(({ name, message }) => `${name}: ${message}`);
  const held = context.memory.bytes;
  for (const tensor of [hidden, between, z.y]) tensor.dispose();
  layer.dispose();
  await new Promise((resolve) => setTimeout(resolve));

  const integers = integerWeights({ seed: 9, tensor: 0, distribution: 'binary' }, [0, k], [0, n]);
  const r = Array.from(integers, (v) => v * weightScale('binary', k));
  const times = (a, w, rows, inner, columns) =>
    Array.from({ length: rows * columns }, (_, i) => {
      let sum = 0;
      for (let l = 0; l < inner; l++) sum += a[Math.floor(i / columns) * inner + l] * w[l * columns + (i % columns)];
      return sum;
    });
  const h = times(x, w1, m, inputs, k).map((v, i) => Math.max(0, v + b1[i % k]));
  const wantProduct = times(h, r, m, k, n);
  const y = wantProduct.map((v, i) => Math.max(0, v * scale[i % n] + bias[i % n]));
  const want = times(y, w2, m, n, classes).map((v, i) => v + b2[i % classes]);
  const worst = (got, want) => Math.max(...want.map((v, i) => Math.abs(v - got[i]))) / Math.max(...want.map(Math.abs));
  return {
    early,
    alike,
    refused,
    shape,
    same: (await ort.env.webgpu.device) === context.device,
    worst: [worst(product, wantProduct), worst(got, want)],
    length: [product.length, got.length],
    held,
    left: context.memory.bytes,
  };
}

window.tests = { sandwich };
