/** Our engine, called as layers and `fit` call it: graph, createPlan, Run, with one submit per call. */

import { startingStates } from '../../src/backend/training.ts';
import { readFloats, type TypedArray, uploadBuffer } from '../../src/gpu/buffers.ts';
import { type ForwardKernel, type ForwardKernelName, forwardKernels } from '../../src/gpu/choose/forward-kernels.ts';
import type { Context } from '../../src/gpu/context.ts';
import { planBatch } from '../../src/gpu/epoch-pass.ts';
import { uploadParameters } from '../../src/gpu/parameters.ts';
import { computePrefix } from '../../src/gpu/prefix.ts';
import { disposeRows, scheduleBuffer } from '../../src/gpu/rows.ts';
import { planOn, Run } from '../../src/gpu/run.ts';
import { apply } from '../../src/graph/every-op.ts';
import { boundByName, createGraph, input, parameter } from '../../src/graph/graph.ts';
import { elements, type Value } from '../../src/graph/value.ts';
import { batchGraph, prefixBytes, prefixGraph } from '../../src/train/graphs.ts';
import { distributionNames } from '../../src/weights/distributions.ts';
import { finished, ourContext } from '../gpu.ts';
import { type ForwardData, type ForwardTask, weightSpec } from '../tasks/forward.ts';
import {
  ADAM,
  FROZEN_PREFIX,
  LEARNING_RATE,
  meanLoss,
  type TrainingData,
  type TrainingTask,
} from '../tasks/training.ts';
import type { Engine, Prepared, Task, TaskData, Variant } from './engine.ts';

const KEY_BYTES = 8;
/** The variant of a stored dense layer (kernels/matmul). */
const STORED = 'f32';

/** Every kernel with every distribution that it supports. */
export const kernelVariants = (n: number): Variant[] =>
  Object.entries<ForwardKernel>(forwardKernels).flatMap(([name, { weights }]) =>
    weights.map((distribution) => ({
      weights: `${distribution}, ${name}`,
      distribution,
      kernel: name as ForwardKernelName,
      weightBytes: (KEY_BYTES + 4) * n,
    })),
  );

export const weightless: Engine = {
  name: 'weightless',
  peer: false,
  gpu: true,
  variants(task) {
    if (task.kind === 'forward') {
      const { k, n } = task;
      if (task.kernels) return kernelVariants(n);
      const random = distributionNames.map((distribution): Variant => {
        return { weights: distribution, distribution, weightBytes: (KEY_BYTES + 4) * n };
      });
      const stored: Variant = { weights: STORED, distribution: 'normal', weightBytes: 4 * k * n };
      return [...random, stored];
    }
    if (task.network === 'full') return [{ weights: STORED, distribution: 'normal', weightBytes: 0 }];
    const random = (['normal', 'binary', 'codeword'] as const).map((distribution): Variant => {
      return { weights: distribution, distribution, weightBytes: 0 };
    });
    return [...random, { weights: FROZEN_PREFIX, distribution: 'normal', weightBytes: 0 }];
  },
  async prepare<T extends Task>(task: T, variant: Variant, data: TaskData<T>): Promise<Prepared> {
    const context = await ourContext();
    return task.kind === 'forward'
      ? prepareForward(context, task, variant, data as ForwardData)
      : prepareTraining(context, task, variant, data as TrainingData);
  },
};

async function prepareForward(
  context: Context,
  { m, k, n }: ForwardTask,
  { weights, distribution, kernel }: Variant,
  data: ForwardData,
): Promise<Prepared> {
  const graph = createGraph();
  const x = input(graph, 'x', [m, k]);
  const b = parameter(graph, 'b', [n]);
  const given: [Value, TypedArray][] = [
    [x, data.x],
    [b, data.b],
  ];
  const own = (value: Value, numbers: TypedArray) => {
    given.push([value, numbers]);
    return value;
  };
  const stored = weights === STORED;
  const z = stored
    ? apply(graph, 'matmul', { a: x, b: own(parameter(graph, 'weight', [k, n]), data.weights()) }).c
    : apply(graph, 'randomMatmul', { x, weights: weightSpec(distribution), units: n }).z;
  const u = stored ? undefined : own(parameter(graph, 'u', [n]), data.u);
  const { y } = apply(graph, 'epilogue', { z, u, b, activation: 'relu' });
  const buffers = new Map(given.map(([value, numbers]) => [value, uploadBuffer(context, numbers, value.name)]));
  const plan = await planOn(context, graph, { outputs: [y], ...(kernel && { kernel }) });
  const run = await Run.create(context, plan, { buffers });
  return {
    run: () => run.submit(),
    sync: () => finished(context),
    async output() {
      run.submit();
      return readFloats(context, run.buffer(y) as GPUBuffer, elements(y));
    },
    dispose() {
      run.dispose();
      context.destroyBuffers(buffers.values());
    },
  };
}

async function prepareTraining(
  context: Context,
  { batch }: TrainingTask,
  { weights, distribution }: Variant,
  { batch: rows, model: modelOf }: TrainingData,
): Promise<Prepared> {
  const model = modelOf(distribution);
  const cached = weights === FROZEN_PREFIX;
  const made = batchGraph(model, batch, {
    loss: 'crossEntropy',
    optimizer: ADAM,
    cached,
  });
  const { graph, source, targets, loss } = made;
  const plan = await planBatch(context, made);
  const parameters = await uploadParameters(context, [...model.parameters, ...startingStates(graph)]);
  const prefix =
    cached && prefixBytes(model, batch) > 0
      ? await computePrefix(context, { graph: (rows) => prefixGraph(model, rows) }, rows, parameters)
      : undefined;
  const labels = uploadBuffer(context, Uint32Array.from(rows.labels), 'labels');
  const batchBuffer = prefix?.pieces[0]?.buffer ?? uploadBuffer(context, rows.features, 'batch');
  const schedule = scheduleBuffer(context);
  const buffers = new Map<Value, GPUBuffer>([
    [source, batchBuffer],
    [targets, labels],
    ...boundByName(graph, parameters),
  ]);
  const run = await Run.create(context, plan, { buffers, schedule });
  const numbers = new Float32Array(4);
  let step = 0;
  const submit = () => {
    step++;
    numbers.set([LEARNING_RATE, 1 - ADAM.beta1 ** step, 1 - ADAM.beta2 ** step]);
    context.device.queue.writeBuffer(schedule, 0, numbers);
    run.submit();
  };
  return {
    run: submit,
    sync: () => finished(context),
    async output() {
      submit();
      return Float32Array.of(meanLoss(await readFloats(context, run.buffer(loss) as GPUBuffer, 2 * batch)));
    },
    dispose() {
      run.dispose();
      disposeRows(context, prefix);
      context.destroyBuffers([labels, batchBuffer, schedule, ...parameters.values()]);
    },
  };
}
