/**
 * jax-js on WebGPU, jit-compiled as its documentation advises. Its functions consume arrays; `ref` adds a reference.
 */
import * as jax from '@jax-js/jax';
import type { ForwardData, ForwardTask } from '../tasks/forward.ts';
import { ADAM, LEARNING_RATE, type TrainingData, type TrainingTask } from '../tasks/training.ts';
import { type Engine, type Prepared, storedVariant, type Task, type TaskData, type Variant } from './engine.ts';

const { numpy: np, nn } = jax;

let started: Promise<GPUDevice> | undefined;

function start(): Promise<GPUDevice> {
  started ??= (async () => {
    const devices = await jax.init('webgpu');
    if (!devices.includes('webgpu')) throw new Error(`expected jax-js to start on webgpu, got ${devices.join(', ')}`);
    jax.defaultDevice('webgpu');
    return jax.getWebGPUDevice();
  })();
  return started;
}

const array = (data: Float32Array, shape: number[]) => np.array(data).reshape(shape);

/** An array in device memory. */
const resident = (data: Float32Array, shape: number[]) => jax.blockUntilReady(array(data, shape));

export const jaxJs: Engine = {
  name: 'jax-js',
  peer: true,
  gpu: true,
  variants: (task) => [storedVariant(task)],
  async prepare<T extends Task>(task: T, _: Variant, data: TaskData<T>): Promise<Prepared> {
    const device = await start();
    return task.kind === 'forward'
      ? prepareForward(device, task, data as ForwardData)
      : prepareTraining(device, task, data as TrainingData);
  },
};

async function prepareForward(device: GPUDevice, { m, k, n }: ForwardTask, data: ForwardData): Promise<Prepared> {
  const x = await resident(data.x, [m, k]);
  const w = await resident(data.weights(), [k, n]);
  const b = await resident(data.b, [n]);
  const layer = jax.jit((x: jax.Array, w: jax.Array, b: jax.Array) => nn.relu(np.matmul(x, w).add(b)));
  const call = () => layer(x.ref, w.ref, b.ref);
  return {
    run() {
      call().gpuBufferSync(); // arrays are lazy: this submits without waiting
    },
    async sync() {
      await device.queue.onSubmittedWorkDone();
    },
    output: () => read(call()),
    dispose() {
      for (const one of [x, w, b]) one.dispose();
      layer.dispose();
    },
  };
}

/** Submits the same way as `run`, because jax-js compiles separately for the other way, then reads. */
async function read(array: jax.Array): Promise<Float32Array> {
  array.ref.gpuBufferSync();
  return Float32Array.from(await array.data());
}

type Parameters = Record<string, jax.Array>;
type State = { p: Parameters; m: Parameters; v: Parameters; t: jax.Array };

async function prepareTraining(
  device: GPUDevice,
  { network, batch, inputs, units, classes }: TrainingTask,
  data: TrainingData,
): Promise<Prepared> {
  const half = network === 'half';
  const model = data.model('normal');
  const shapes: Record<string, number[]> = {
    ...(half ? { 'layers.0.u': [units] } : { 'layers.0.weight': [inputs, units] }),
    'layers.0.b': [units],
    'layers.1.weight': [units, classes],
    'layers.1.b': [classes],
  };
  const names = Object.keys(shapes);
  const fill = async (numbers: (name: string, length: number) => Float32Array): Promise<Parameters> => {
    const made = names.map(async (name) => {
      const shape = shapes[name]!;
      return [
        name,
        await resident(
          numbers(
            name,
            shape.reduce((a, b) => a * b),
          ),
          shape,
        ),
      ] as const;
    });
    return Object.fromEntries(await Promise.all(made));
  };
  const oneHot = new Float32Array(batch * classes);
  data.batch.labels.forEach((label, row) => {
    oneHot[row * classes + label] = 1;
  });
  const x = await resident(data.batch.features, [batch, inputs]);
  const y = await resident(oneHot, [batch, classes]);
  const r = await resident(half ? data.randomWeights() : Float32Array.of(0), half ? [inputs, units] : [1]);

  const lossOf = (p: Parameters, x: jax.Array, y: jax.Array, r: jax.Array): jax.Array => {
    const z = half ? np.matmul(x, r).mul(p['layers.0.u']!) : np.matmul(x, p['layers.0.weight']!);
    const hidden = nn.relu(z.add(p['layers.0.b']!));
    const logits = np.matmul(hidden, p['layers.1.weight']!).add(p['layers.1.b']!);
    return nn
      .logSoftmax(logits, -1)
      .mul(y)
      .sum()
      .mul(-1 / batch);
  };
  const { beta1, beta2, epsilon } = ADAM;
  const step = jax.jit((state: State, x: jax.Array, y: jax.Array, r: jax.Array) => {
    const t = state.t.add(1);
    const correction = (beta: number) =>
      np
        .exp(t.ref.mul(Math.log(beta)))
        .mul(-1)
        .add(1);
    const [c1, c2] = [correction(beta1), correction(beta2)];
    const kept = Object.fromEntries(names.map((name) => [name, state.p[name]!.ref]));
    const [loss, gradients] = jax.valueAndGrad(lossOf)(kept, x, y, r);
    const next: State = { p: {}, m: {}, v: {}, t };
    for (const name of names) {
      const g = gradients[name]!;
      const m = state.m[name]!.mul(beta1).add(g.ref.mul(1 - beta1));
      const v = state.v[name]!.mul(beta2).add(np.square(g).mul(1 - beta2));
      const size = np.sqrt(v.ref.div(c2.ref)).add(epsilon);
      next.p[name] = state.p[name]!.sub(m.ref.div(c1.ref).div(size).mul(LEARNING_RATE));
      next.m[name] = m;
      next.v[name] = v;
    }
    c1.dispose();
    c2.dispose();
    return { state: next, loss };
  });

  const zeros = (_: string, length: number) => new Float32Array(length);
  let state: State = {
    p: await fill((name) => model.parameters.get(name)!),
    m: await fill(zeros),
    v: await fill(zeros),
    t: await resident(Float32Array.of(0), [1]),
  };
  const call = () => {
    const made = step(state, x.ref, y.ref, r.ref);
    state = made.state;
    return made.loss;
  };
  return {
    run() {
      call().gpuBufferSync();
    },
    async sync() {
      await device.queue.onSubmittedWorkDone();
    },
    output: () => read(call()),
    dispose() {
      for (const one of [x, y, r, state.t]) one.dispose();
      for (const set of [state.p, state.m, state.v]) for (const one of Object.values(set)) one.dispose();
      step.dispose();
    },
  };
}
