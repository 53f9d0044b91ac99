/** TensorFlow.js on WebGPU: eager, its fused matmul, its own Adam. */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-webgpu';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import type { ForwardData, ForwardTask } from '../tasks/forward.ts';
import { ADAM, LEARNING_RATE, type TrainingData, type TrainingTask } from '../tasks/training.ts';
import { type Engine, type Prepared, storedVariant, type Task, type TaskData, type Variant } from './engine.ts';

let started: Promise<WebGPUBackend> | undefined;

function start(): Promise<WebGPUBackend> {
  started ??= (async () => {
    if (!(await tf.setBackend('webgpu'))) throw new Error('expected TensorFlow.js to start on webgpu, it did not');
    await tf.ready();
    return tf.backend() as WebGPUBackend;
  })();
  return started;
}

/** Submits dispatches that TensorFlow.js still holds back for a full batch, then waits for the device. */
async function settle(backend: WebGPUBackend): Promise<void> {
  if (backend.commandEncoder) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  await backend.queue.onSubmittedWorkDone();
}

export const tfjs: Engine = {
  name: 'tfjs-webgpu',
  peer: true,
  gpu: true,
  variants: (task) => [storedVariant(task)],
  async prepare<T extends Task>(task: T, _: Variant, data: TaskData<T>): Promise<Prepared> {
    const backend = await start();
    return task.kind === 'forward'
      ? prepareForward(backend, task, data as ForwardData)
      : prepareTraining(backend, task, data as TrainingData);
  },
};

function prepareForward(backend: WebGPUBackend, { m, k, n }: ForwardTask, data: ForwardData): Prepared {
  const x = tf.tensor2d(data.x, [m, k]);
  const w = tf.tensor2d(data.weights(), [k, n]);
  const b = tf.tensor1d(data.b);
  const call = () => tf.fused.matMul({ a: x, b: w, bias: b, activation: 'relu' });
  return {
    run() {
      call().dispose();
    },
    sync: () => settle(backend),
    async output() {
      const y = call();
      const read = Float32Array.from(await y.data());
      y.dispose();
      return read;
    },
    dispose: () => tf.dispose([x, w, b]),
  };
}

function prepareTraining(
  backend: WebGPUBackend,
  { network, batch, inputs, units, classes }: TrainingTask,
  data: TrainingData,
): Prepared {
  const half = network === 'half';
  const { parameters } = data.model('normal');
  const x = tf.tensor2d(data.batch.features, [batch, inputs]);
  const labels = tf.tensor1d(Int32Array.from(data.batch.labels), 'int32');
  const y = tf.cast(tf.oneHot(labels, classes), 'float32');
  const r = half ? tf.tensor2d(data.randomWeights(), [inputs, units]) : undefined;
  const variable = (name: string, shape: number[]) => tf.variable(tf.tensor(parameters.get(name)!, shape), true);
  const b = variable('layers.0.b', [units]);
  const u = half ? variable('layers.0.u', [units]) : undefined;
  const w0 = half ? undefined : variable('layers.0.weight', [inputs, units]);
  const w1 = variable('layers.1.weight', [units, classes]);
  const b1 = variable('layers.1.b', [classes]);
  const trained = [b, w1, b1, ...(u ? [u] : []), ...(w0 ? [w0] : [])];
  const optimizer = tf.train.adam(LEARNING_RATE, ADAM.beta1, ADAM.beta2, ADAM.epsilon);
  const hidden = () =>
    r && u
      ? tf.relu(tf.add(tf.mul(tf.matMul(x, r), u), b))
      : tf.fused.matMul({ a: x, b: w0!, bias: b, activation: 'relu' });
  const loss = () => tf.losses.softmaxCrossEntropy(y, tf.fused.matMul({ a: hidden(), b: w1, bias: b1 }));
  return {
    run() {
      optimizer.minimize(loss, false, trained);
    },
    sync: () => settle(backend),
    async output() {
      const cost = optimizer.minimize(loss, true, trained)!;
      const read = Float32Array.from(await cost.data());
      cost.dispose();
      return read;
    },
    dispose() {
      optimizer.dispose();
      tf.dispose([x, labels, y, ...(r ? [r] : []), ...trained]);
    },
  };
}
