/** Runs in the page: `weightless-gpu/onnxruntime` between two sessions of the real ONNX Runtime Web, on its device. */

import { integerWeights, weightScale } from 'weightless-gpu';
import { connect } from 'weightless-gpu/onnxruntime';
import { denseModel } from '../../../bench/engines/onnx-model.ts';

const wave = (count, step) => Float32Array.from({ length: count }, (_, i) => Math.sin(step * i + Math.cos(i)));

/** dense 12 -> 33 (ORT), half 33 -> 20 (ours), dense 20 -> 4 (ORT), compared with float64. */
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
  const deep = await layer.run(rows); // three axes: the last one holds the inputs
  const flat = await between.getData(); // the tensor itself is unchanged
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

/** Every requested element type, disposed tensors, and wrong shapes. */
async function types() {
  const ort = await import('/ort.webgpu.min.mjs');
  const { halfDense, run, context } = await connect(ort);
  const { device } = context;
  const [m, k, n] = [3, 8, 5];
  const numbers = wave(m * k, 0.9);
  const tensor = (values, dataType, dims) => {
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    const buffer = device.createBuffer({ size: Math.ceil(values.byteLength / 16) * 16, usage });
    device.queue.writeBuffer(buffer, 0, values);
    return ort.Tensor.fromGpuBuffer(buffer, { dataType, dims, dispose: () => buffer.destroy() });
  };
  const x = tensor(numbers, 'float32', [m, k]);
  const half = { fanIn: k, units: n, weights: 'binary', seed: 9, activation: 'identity' };
  const [scale, bias] = [Float32Array.of(1, 2, 3, 4, 5), Float32Array.of(5, 4, 3, 2, 1)];
  const outputs = async (options, given = x) => {
    const layer = halfDense({ ...half, scale, bias, ...options });
    const y = await layer.run(given);
    layer.dispose();
    return [...(await y.getData())];
  };
  const want = await outputs({});
  const parameters = {};
  for (const [name, Type] of Object.entries({ Float64Array, Int32Array, Uint8Array, Array })) {
    parameters[name] = String(await outputs({ scale: Type.from(scale), bias: Type.from(bias) })) === String(want);
  }
  // Disposed while a run is pending: that run completes correctly, the next one is rejected.
  const layer = halfDense({ ...half, scale, bias });
  const waiting = [layer.run(x), layer.run(x)];
  layer.dispose();
  const late = await Promise.all(waiting.map(async (y) => [...(await (await y).getData())]));

  const refused = {};
  const refuse = async (name, work) => {
    refused[name] = await work().then(
      () => 'an answer',
      ({ name, message }) => `${name}: ${message}`,
    );
  };
  await refuse('run after dispose', () => layer.run(x));
  await refuse('scale too short', async () => halfDense({ ...half, scale: [1, 2], bias }));
  await refuse('scale not finite', async () => halfDense({ ...half, scale: [1, 2, 3, 1e39, 5], bias }));
  await refuse('int32', () => outputs({}, tensor(Int32Array.from({ length: m * k }), 'int32', [m, k])));
  await refuse('float16', () => outputs({}, tensor(new Uint16Array(m * k), 'float16', [m, k])));
  const weights = { seed: 9, tensor: 0, distribution: 'binary' };
  const spec = { op: 'randomMatmul', m, k, n, weights };
  await refuse('another shape', () => run(spec, { x: tensor(numbers, 'float32', [k, m]) }));
  await refuse('another name', () => run(spec, { x, z: x }));
  const gone = tensor(numbers, 'float32', [m, k]);
  gone.dispose();
  await refuse('disposed', () => run(spec, { x: gone }));

  const { out } = await run({ op: 'materialize', weights, inputs: [0, k], units: [0, n], fanIn: k, dtype: 'i32' }, {});
  const integers = {
    type: out.type,
    same: String(await out.getData()) === String(integerWeights(weights, [0, k], [0, n])),
  };
  const bytes = Uint8Array.from({ length: m * k }, (_, i) => (37 * i) % 256);
  const exact = await run({ ...spec, inputs: 'u8' }, { x: tensor(bytes, 'uint8', [m, k]) });
  const asFloats = await run(spec, { x: tensor(Float32Array.from(bytes), 'float32', [m, k]) });
  const [a, b] = [await exact.y.getData(), await asFloats.y.getData()];
  const worst = Math.max(...a.map((v, i) => Math.abs(v - b[i]))) / Math.max(...b.map(Math.abs));
  return { want, late, parameters, refused, integers, worst };
}

window.tests = { sandwich, types };
