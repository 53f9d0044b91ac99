/** Our engine without a GPU: the same graph on the CPU kernels (src/cpu). */

import { cacheBytes } from '../../src/cpu/cached-weights.ts';
import { type CpuContext, createCpuContext } from '../../src/cpu/cpu.ts';
import { Program } from '../../src/cpu/program.ts';
import { apply } from '../../src/graph/every-op.ts';
import { createGraph, input, parameter } from '../../src/graph/graph.ts';
import { elements, type Value } from '../../src/graph/value.ts';
import { distributionNames } from '../../src/weights/distributions.ts';
import { type ForwardData, type ForwardTask, weightSpec } from '../tasks/forward.ts';
import type { Engine, Prepared, Task, TaskData, Variant } from './engine.ts';

const KEY_BYTES = 8;
const STORED = 'f32';
/** Weights regenerated in every call (`keepWeights: 0`), none cached. */
const ANEW = 'normal anew';

/** `threads`: size of its pool. If absent, the default. */
const engine = (name: string, threads?: number): Engine => ({
  name,
  peer: false,
  gpu: false,
  variants(task) {
    if (task.kind !== 'forward' || task.kernels) return [];
    const { m, k, n } = task;
    const random = distributionNames.map((distribution): Variant => {
      const kept = cacheBytes({ m, k, n, weights: weightSpec(distribution) }) ?? 0;
      return { weights: distribution, distribution, weightBytes: kept + (KEY_BYTES + 4) * n };
    });
    const anew: Variant = { weights: ANEW, distribution: 'normal', weightBytes: (KEY_BYTES + 4) * n };
    return [...random, ...(m === 1 ? [anew] : []), { weights: STORED, distribution: 'normal', weightBytes: 4 * k * n }];
  },
  prepare: <T extends Task>(task: T, variant: Variant, data: TaskData<T>) =>
    prepareForward(task as ForwardTask, variant, data as ForwardData, threads),
});

export const weightlessCpu1 = engine('weightless-cpu-1', 1);
export const weightlessCpu = engine('weightless-cpu');

const contexts = new Map<number | undefined, Promise<CpuContext>>();

/** One context per number of threads. */
function contextOf(threads: number | undefined): Promise<CpuContext> {
  const found = contexts.get(threads) ?? createCpuContext(threads ? { threads } : {}, 'the bench');
  contexts.set(threads, found);
  return found;
}

async function prepareForward(
  { m, k, n }: ForwardTask,
  variant: Variant,
  data: ForwardData,
  wanted: number | undefined,
): Promise<Prepared> {
  const context = await contextOf(wanted);
  const [machine, pool] = [await context.machine(), await context.pool()];
  const threads = pool?.threads ?? 1;
  const graph = createGraph();
  const x = input(graph, 'x', [m, k]);
  const b = parameter(graph, 'b', [n]);
  const places = new Map<Value, number>([[b, machine.place(data.b)]]);
  const own = (value: Value, numbers: Float32Array) => {
    places.set(value, machine.place(numbers));
    return value;
  };
  const stored = variant.weights === STORED;
  const z = stored
    ? apply(graph, 'matmul', { a: x, b: own(parameter(graph, 'weight', [k, n]), data.weights()) }).c
    : apply(graph, 'randomMatmul', { x, weights: weightSpec(variant.distribution), units: n }).z;
  const u = stored ? undefined : own(parameter(graph, 'u', [n]), data.u);
  const { y } = apply(graph, 'epilogue', { z, u, b, activation: 'relu' });
  const at = machine.allocate(4 * m * k);
  places.set(x, at);
  const program = await Program.create(machine, graph, {
    places,
    outputs: [y],
    keepWeights: variant.weights === ANEW ? 0 : context.keepWeights,
    ...(pool && { pool }),
  });
  // As for a caller: the input is copied in and the output copied out.
  const call = async () => {
    machine.floats(at, m * k).set(data.x);
    await program.run();
    return machine.floats(program.place(y), elements(y)).slice();
  };
  return {
    async run() {
      await call();
    },
    sync: async () => {},
    output: call,
    dispose: () => program.dispose(),
    note: `${threads} thread${threads === 1 ? '' : 's'}`,
  };
}
