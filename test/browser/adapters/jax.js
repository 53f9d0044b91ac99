/** Runs in the page: `weightless-gpu/jax` with the real jax-js. */
import * as jax from '@jax-js/jax';
import { integerWeights, weightScale } from 'weightless-gpu';
import { connect, randomMatmul, randomMatrix } from 'weightless-gpu/jax';

const { numpy: np, nn } = jax;
const wave = (count, step) => Float32Array.from({ length: count }, (_, i) => Math.sin(step * i + Math.cos(i)));
const distributions = ['normal', 'binary', 'uniform', 'sparse', 'codeword'];
const start = async () => {
  if (!(await jax.init('webgpu')).includes('webgpu')) throw new Error('expected jax-js on webgpu');
  jax.defaultDevice('webgpu');
};

/** Elements that differ from the reference, for every distribution. */
async function matrices() {
  await start();
  const [fanIn, units] = [70, 9];
  const wrong = {};
  for (const weights of distributions) {
    const options = { seed: 2n ** 63n + 7n, tensor: 2 ** 32 - 1 };
    const make = jax.jit(() => randomMatrix(jax, { fanIn, units, weights, ...options }));
    const got = await make().data();
    const integers = integerWeights({ ...options, distribution: weights }, [0, fanIn], [0, units]);
    const scale = weightScale(weights, fanIn);
    wrong[weights] = integers.reduce((sum, v, i) => sum + (Math.fround(v * scale) !== got[i]), 0);
  }
  return wrong;
}

/** Loss and gradients of a half layer under `valueAndGrad` and `jit`, compared with the stored matrix. */
async function gradients() {
  await start();
  const [m, k, n] = [5, 33, 12];
  const stored = np
    .array(
      Float32Array.from(
        integerWeights({ seed: 4, tensor: 1, distribution: 'sparse' }, [0, k], [0, n]),
        (v) => v * weightScale('sparse', k),
      ),
    )
    .reshape([k, n]);
  const parameters = () => ({
    x: np.array(wave(m * k, 0.7)).reshape([m, k]),
    scale: np.array(wave(n, 0.4)),
    bias: np.array(wave(n, 0.6)),
  });
  const loss =
    (product) =>
    ({ x, scale, bias }) =>
      np.square(nn.relu(product(x).mul(scale).add(bias))).sum();
  const ours = loss((x) => randomMatmul(jax, x, n, { weights: 'sparse', seed: 4, tensor: 1 }));
  const theirs = loss((x) => np.matmul(x, stored.ref));
  const all = async (f) => {
    const [value, grads] = jax.jit(jax.valueAndGrad(f))(parameters());
    return [await value.data(), await grads.x.data(), await grads.scale.data(), await grads.bias.data()];
  };
  const [a, b] = [await all(ours), await all(theirs)];
  return a.map(
    (values, i) => Math.max(...values.map((v, j) => Math.abs(v - b[i][j]))) / Math.max(...b[i].map(Math.abs)),
  );
}

/** Our kernels on arrays of jax-js, chained with its own operations, on one device. */
async function kernels() {
  const early = await connect({
    ...jax,
    getWebGPUDevice: () => {
      throw new Error('no device');
    },
  }).catch(({ name, message }) => `${name}: ${message}`);
  await start();
  const { run, context } = await connect(jax);
  const [m, k, n] = [5, 33, 12];
  const weights = { seed: 4, tensor: 1, distribution: 'sparse' };
  const x = np
    .array(wave(m * k, 0.7))
    .reshape([m, k])
    .mul(2); // lazy: computed when its memory is requested
  const half = { scale: np.array(wave(n, 0.4)), bias: np.array(wave(n, 0.6)) };
  const spec = { op: 'randomMatmul', m, k, n, weights, scale: true, bias: true, activation: 'relu' };
  const { y } = await run(spec, { x: x.ref, scale: half.scale.ref, bias: half.bias.ref });
  const zeros = np.zeros([m, n]); // has the shape of the written array; it must still be zero
  const z = randomMatmul(jax, x, n, { weights: 'sparse', seed: 4, tensor: 1 });
  const want = nn.relu(z.mul(half.scale).add(half.bias));
  const largest = Math.max(...(await want.ref.data()));
  const [shape, difference] = [y.shape, await np.absolute(y.sub(want)).data()];
  return {
    early,
    shape,
    worst: Math.max(...difference) / largest,
    zeros: (await zeros.data()).every((value) => value === 0),
    same: context.device === jax.getWebGPUDevice(),
    left: context.memory.bytes,
  };
}

/** Every element type of jax-js and every state of an array, compared with the same numbers as float32. */
async function types() {
  await start();
  const { run } = await connect(jax);
  const [m, k, n] = [2, 4, 5];
  const weights = { seed: 1, tensor: 0, distribution: 'normal' };
  const spec = { op: 'randomMatmul', m, k, n, weights };
  const floats = (values) => np.array(Float32Array.from(values)).reshape([m, k]);
  const integers = [1, 2, 3, 4, 0, 5, 6, 7];
  const truths = [1, 0, 1, 1, 0, 1, 0, 0];
  const matrix = np.array(Float32Array.from([...integers, ...integers])).reshape([4, k]);
  const pairs = {
    int32: [np.array(Int32Array.from(integers)).reshape([m, k]), floats(integers)],
    uint32: [np.array(Uint32Array.from(integers)).reshape([m, k]), floats(integers)],
    bool: [np.array(truths.map(Boolean)).reshape([m, k]), floats(truths)],
    'a part of an array': [matrix.ref.slice([2, 4]), floats(integers)],
    'a transposed array': [floats(integers).reshape([k, m]).transpose(), floats([1, 3, 0, 6, 2, 4, 5, 7])],
    'three axes': [floats(integers).reshape([1, m, k]), floats(integers)],
  };
  const worst = {};
  for (const [name, [x, same]] of Object.entries(pairs)) {
    const [got, want] = [await (await run(spec, { x })).y.data(), await (await run(spec, { x: same })).y.data()];
    worst[name] = want.every((v) => v === 0)
      ? Number.NaN
      : Math.max(...want.map((v, i) => (v === got[i] ? 0 : Math.abs(v - got[i]) || 1)));
  }
  const refused = {};
  const refuse = async (name, inputs) => {
    refused[name] = await run(spec, inputs).then(
      () => 'an answer',
      ({ name, message }) => `${name}: ${message}`,
    );
  };
  const gone = floats(integers);
  gone.dispose();
  await refuse('disposed', { x: gone });
  await refuse('another shape', { x: floats(integers).reshape([k, m]) });
  await refuse('another name', { q: floats(integers) });
  const { out } = await run({ op: 'materialize', weights, inputs: [0, k], units: [0, n], fanIn: k, dtype: 'i32' }, {});
  const exact = {
    dtype: out.dtype,
    same: String(await out.data()) === String(integerWeights(weights, [0, k], [0, n])),
  };
  return { worst, refused, exact };
}

window.tests = { kernels, matrices, gradients, types };
