/** Tuning with a stopwatch that is told what each kernel takes; the real ones are only asked whether they tell a time at all. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type DataSet, dataSet } from '../src/data/dataset.ts';
import { storageBuffer, uploadBuffer } from '../src/gpu/buffers.ts';
import { shapeKey } from '../src/gpu/choose/choose.ts';
import { type ForwardKernelName, forwardKernels, type Problem } from '../src/gpu/choose/forward-kernels.ts';
import { Context } from '../src/gpu/context.ts';
import type { Operand } from '../src/gpu/lower/lowering.ts';
import type { PlanOptions } from '../src/gpu/plan.ts';
import { planOn } from '../src/gpu/run.ts';
import { createStopwatch } from '../src/gpu/stopwatch.ts';
import { randomProducts, type TuneMemory, Tuner } from '../src/gpu/tuner.ts';
import { apply } from '../src/graph/every-op.ts';
import { createGraph, input } from '../src/graph/graph.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { sequential } from '../src/model/model.ts';
import { nodeGpu, tuneFile } from '../src/node.ts';
import { createContext } from '../src/open.ts';
import { randomMatmul } from '../src/ops.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { fit } from '../src/train/fit.ts';
import type { DistributionName } from '../src/weights/distributions.ts';
import { expectSame } from './compare.ts';
import { freshContext, testContext } from './gpu.ts';
import { numbers } from './kernels/harness.ts';

type Times = Partial<Record<ForwardKernelName, number>>;

const empty = (): TuneMemory & { kept: Map<string, string> } => {
  const kept = new Map<string, string>();
  return { kept, get: (key) => kept.get(key), set: (key, value) => void kept.set(key, value) };
};

/** A context that tunes: kernels take `times` milliseconds a call, others one. `timed` are the samples that were taken. */
async function tuning(
  times: Times,
  memory: TuneMemory = empty(),
  adapter: Partial<Context['adapter']> = {},
  on = testContext(),
) {
  const { device, adapter: real } = await on;
  const timed: ForwardKernelName[] = [];
  const stopwatch = {
    resolution: 0.001,
    async time(_: unknown, calls: number, kernel: string) {
      timed.push(kernel as ForwardKernelName);
      const ms = times[kernel as ForwardKernelName] ?? 1;
      if (Number.isNaN(ms)) throw new Error('refused');
      return calls * ms;
    },
  };
  const tuner = new Tuner(memory, async () => stopwatch);
  const context = new Context(device, { ...real, software: true, ...adapter }, false, tuner);
  return { context, timed };
}

function product({ m, k, n, weights }: Problem) {
  const graph = createGraph();
  const x = input(graph, 'x', [m, k]);
  const spec = { seed: 1, tensor: 0, distribution: weights };
  return { graph, z: apply(graph, 'randomMatmul', { x, weights: spec, units: n }).z };
}

/** The kernel that a plan of the problem takes on the context: each has its own source or constants. */
async function taken(context: Context, problem: Problem, options: PlanOptions = {}): Promise<ForwardKernelName> {
  const { graph, z } = product(problem);
  const { dispatches } = await planOn(context, graph, { outputs: [z], ...options });
  const same = Object.entries(forwardKernels).find(([, { weights, launch, scratchBytes }]) => {
    if (!(weights as readonly DistributionName[]).includes(problem.weights)) return false;
    const slot: Operand = { kind: 'slot', slot: 0 };
    const made = launch({ ...problem, x: slot, keys: slot, y: slot }, scratchBytes(problem).fill(0) as never);
    const told = (all: readonly { source: { name: string }; constants?: unknown }[]) =>
      JSON.stringify(all.map(({ source, constants }) => [source.name, constants]));
    return told(made) === told(dispatches);
  });
  return same![0] as ForwardKernelName;
}

const small: Problem = { m: 1, k: 40, n: 24, weights: 'normal' };

describe('a context that tunes', () => {
  it("takes the kernel that was measured to be the fastest, and the table's where that is hardly slower", async () => {
    const { context } = await tuning({ 'tile 8x4': 0.5 });
    expect(await taken(context, small)).toBe('tile 8x4');
    const level = await tuning({ 'tile 8x4': 0.96 });
    expect(await taken(level.context, small)).toBe('rows'); // the table's on a software adapter
    expect(await taken((await tuning({ 'tile 8x4': 0.94 })).context, small)).toBe('tile 8x4');
  });

  it('measures a shape once, shapes up to the same powers of two together, each distribution for itself', async () => {
    const { context, timed } = await tuning({ 'rows sliced': 0.1 });
    await taken(context, small);
    const count = timed.length;
    expect(count).toBeGreaterThan(3);
    expect(await taken(context, { ...small, k: 64, n: 17 })).toBe('rows sliced');
    expect(timed).toHaveLength(count);
    await taken(context, { ...small, weights: 'sparse' });
    await taken(context, { ...small, k: 65 });
    expect(timed.length).toBe(3 * count);
    expect(shapeKey(small)).not.toBe(shapeKey(small, true));
  });

  it('takes nothing but kernels that add in order where that is asked', async () => {
    const problem: Problem = { ...small, weights: 'binary' };
    const { context, timed } = await tuning({ 'sign sums': 0.1, 'rows sliced': 0.2, 'tile 16x4': 0.5 });
    expect(await taken(context, problem, { inOrder: true })).toBe('tile 16x4');
    expect(timed.filter((name) => !forwardKernels[name].inOrder)).toEqual([]);
    expect(await taken(context, problem)).toBe('sign sums');
    expect(await taken(context, problem, { inOrder: true })).toBe('tile 16x4');
  });

  it('leaves a kernel alone that was asked for by name, and what has no choice', async () => {
    const { context, timed } = await tuning({ 'tile 8x4': 0.1 });
    expect(await taken(context, small, { kernel: 'tile 16x8' })).toBe('tile 16x8');
    expect(await taken(context, { ...small, weights: 'orthogonal' })).toBe('orthogonal');
    expect(timed).toEqual([]);
    await taken(context, small);
    expect(await taken(context, small, { kernel: 'tile 16x8' })).toBe('tile 16x8');
  });

  it('drops who falls behind early, and ends with its time', async () => {
    const slow = await tuning({ rows: 1, 'tile 8x4': 0.9, 'tile 16x8': 50 });
    await taken(slow.context, small);
    expect(slow.timed.filter((name) => name === 'tile 16x8')).toHaveLength(1);
    expect(slow.timed.filter((name) => name === 'rows').length).toBeGreaterThan(4);

    let clock = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock++ * 90); // two samples fit
    onTestFinished(() => now.mockRestore());
    const late = await tuning({ rows: 2, 'tile 8x4': 1, 'tile 16x8': 0.1 });
    const first = await taken(late.context, small);
    expect(late.timed).toHaveLength(2);
    expect(late.timed[0]).toBe('rows'); // the table's
    expect(first).toBe(late.timed[1]);
  });

  it('goes on without kernels that fail, and by the table where all do', async () => {
    const some = await tuning({ 'tile 8x4': Number.NaN, 'tile 8x8': 0.5 });
    expect(await taken(some.context, small)).toBe('tile 8x8');
    const all = Object.fromEntries(Object.keys(forwardKernels).map((name) => [name, Number.NaN]));
    const none = await tuning(all);
    expect(await taken(none.context, small)).toBe('rows');
    expect(none.context.tuner!.tuned.size).toBe(0);
  });

  it('goes on without kernels that do not compile, and leaves nothing on the device', async () => {
    const fresh = await freshContext(); // nothing is compiled yet
    onTestFinished(() => fresh.dispose());
    const { context, timed } = await tuning(
      { 'sign sums': 0.1, 'tile 16x4': 0.5 },
      empty(),
      {},
      Promise.resolve(fresh),
    );
    const { device } = context;
    const create = device.createComputePipelineAsync;
    device.createComputePipelineAsync = async (descriptor) => {
      if (/sign_sums/.test(descriptor.label ?? '')) throw new Error('does not compile here');
      return create.call(device, descriptor);
    };
    expect(await taken(context, { ...small, weights: 'binary' })).toBe('tile 16x4');
    expect(timed).not.toContain('sign sums');
    device.createComputePipelineAsync = async (descriptor) => {
      if (!/_rows/.test(descriptor.label ?? '') || descriptor.compute.constants?.SLICES === 1)
        throw new Error('nor this');
      return create.call(device, descriptor);
    };
    expect(await taken(context, { ...small, k: 100, weights: 'uniform' })).toBe('rows sliced'); // the one that is left
    expect(context.memory.bytes).toBe(0);
  });

  it('goes by the table where there is no memory, or no clock that tells anything', async () => {
    const { context } = await tuning({ 'tile 8x4': 0.1 });
    context.createBuffer = () => {
      throw new Error('no memory');
    };
    expect(await taken(context, small)).toBe('rows');
    const { device, adapter } = context;
    const tuner = new Tuner(empty(), async () => {
      throw new RangeError('a coarse clock');
    });
    expect(await taken(new Context(device, { ...adapter, software: true }, false, tuner), small)).toBe('rows');
  });
});

describe('what is remembered', () => {
  it('serves the next context on the same adapter, and no other', async () => {
    const memory = empty();
    await taken((await tuning({ 'tile 8x4': 0.1 }, memory)).context, small);
    expect([...memory.kept.keys()][0]).toMatch(/^weightless \d+\.\d+\.\d+ kernels on /);
    const second = await tuning({}, memory);
    expect(await taken(second.context, small)).toBe('tile 8x4');
    expect(second.timed).toEqual([]);
    const other = await tuning({ 'tile 8x8': 0.1 }, memory, { device: 'another' });
    expect(await taken(other.context, small)).toBe('tile 8x8');
    expect(memory.kept.size).toBe(2);
  });

  it.each([
    ['no JSON', '{"'],
    ['null', 'null'],
    ['a list', '["rows"]'],
    ['a kernel that is not there', JSON.stringify({ [shapeKey(small)]: 'fastest of all' })],
    ['a name of every object', JSON.stringify({ [shapeKey(small)]: 'constructor' })],
    ['a list with a kernel', JSON.stringify({ [shapeKey(small)]: ['rows'] })],
  ])('is measured again where it is %s', async (_, damaged) => {
    const memory = { ...empty(), get: () => damaged };
    const { context } = await tuning({ 'tile 8x4': 0.1 }, memory);
    expect(await taken(context, small)).toBe('tile 8x4');
  });

  it('is passed over where the kernel does not serve the weights, or does not add in order', async () => {
    const binary: Problem = { ...small, weights: 'binary' };
    const foreign = { [shapeKey(small)]: 'sign sums', [shapeKey(binary, true)]: 'sign sums' };
    const { context } = await tuning({}, { ...empty(), get: () => JSON.stringify(foreign) });
    expect(await taken(context, small)).toBe('rows');
    expect(await taken(context, binary, { inOrder: true })).toBe('rows');
  });

  it('may fail to be read or stored', async () => {
    const refuse = () => {
      throw new Error('forbidden');
    };
    const { context } = await tuning({ 'tile 8x4': 0.1 }, { get: refuse, set: async () => refuse() });
    expect(await taken(context, small)).toBe('tile 8x4');
  });

  it('lies in a file in Node, beside what others left there; a damaged file counts as empty', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'tune-')), 'new folder', 'kernels.json');
    expect(await tuneFile(path).get('a')).toBeUndefined();
    await tuneFile(path).set('a', '{"x":"rows"}');
    await tuneFile(path).set('b', '{}');
    expect(await tuneFile(path).get('a')).toBe('{"x":"rows"}');
    writeFileSync(path, '{"a": ');
    expect(await tuneFile(path).get('a')).toBeUndefined();
    await tuneFile(path).set('c', '{}');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ c: '{}' });
  });
});

describe('everything that computes random products', () => {
  const layers = () => [halfDense({ units: 24 }), halfDense({ units: 16, weights: 'sparse' }), dense({ units: 3 })];
  const model = () => sequential(layers(), { input: [20], seed: 5 });

  it('predicts the same, bit for bit, by another kernel that adds in order', async () => {
    const plain = await createPredictor(await testContext(), model());
    const { context } = await tuning({ 'tile 8x4': 0.1 });
    const tuned = await createPredictor(context, model());
    const x = numbers(3 * 20, 1);
    expectSame(await tuned.predict(x), await plain.predict(x));
    expect([...context.tuner!.tuned]).toEqual([
      ['normal 2^2,5,5', 'tile 8x4'],
      ['sparse 2^2,5,4', 'tile 8x4'],
    ]);
    await Promise.all([plain.dispose(), tuned.dispose()]);
  });

  it('trains the same, bit for bit, prefix and steps in order', async () => {
    const labels = Uint32Array.from({ length: 40 }, (_, i) => i % 3);
    const data: DataSet = dataSet({ features: numbers(40 * 20, 2), shape: [20], labels });
    const trained = async (context: Context) => {
      const made = model();
      for await (const _ of fit(context, made, data, { epochs: 2, batchSize: 16 }));
      return Float32Array.from([...made.parameters.values()].flatMap((values) => [...values]));
    };
    const { context } = await tuning({ 'rows sliced': 0.01, 'tile 8x4': 0.1 });
    expectSame(await trained(context), await trained(await testContext()));
    const tuned = [...context.tuner!.tuned];
    expect(tuned.length).toBeGreaterThan(1);
    for (const [shape, kernel] of tuned)
      expect([shape, kernel]).toEqual([expect.stringMatching(/ in order /), 'tile 8x4']);
  });

  it('weightless-gpu/ops too', async () => {
    const { context, timed } = await tuning({ 'rows sliced': 0.1 });
    const [x, y] = [uploadBuffer(context, numbers(40, 1)), storageBuffer(context, 4 * 24, 'y')];
    const options = { m: 1, k: 40, n: 24, weights: { seed: 1, tensor: 0, distribution: 'normal' }, x, y } as const;
    await randomMatmul(context, { ...options, kernel: 'tile 8x4' });
    expect(timed).toEqual([]);
    await randomMatmul(context, options);
    expect([...context.tuner!.tuned]).toEqual([['normal 2^0,6,5', 'rows sliced']]);
    context.destroyBuffers([x, y]);
  });

  it('asks for what a plan computes alone: nothing that is given', async () => {
    const { graph, z } = product(small);
    expect(randomProducts(graph, { outputs: [z] })).toEqual([small]);
    expect(randomProducts(graph, { outputs: [z], given: [z] })).toEqual([]);
  });
});

describe('on this device', () => {
  it('createContext({ tune }) measures, remembers and predicts', async () => {
    const memory = empty();
    const context = await createContext({ gpu: await nodeGpu(), tune: memory });
    const predictor = await createPredictor(context, sequential([halfDense({ units: 30 })], { input: [50] }));
    expect([...(await predictor.predict(numbers(50, 1)))].every(Number.isFinite)).toBe(true);
    const [kept] = [...memory.kept.values()].map((text) => JSON.parse(text));
    expect(Object.keys(kept)).toEqual(['normal 2^0,6,5']);
    expect(Object.keys(forwardKernels)).toContain(kept['normal 2^0,6,5']);
    await predictor.dispose();
    expect(context.memory.bytes).toBe(0);
    context.dispose();
    expect((await createContext({ gpu: await nodeGpu() })).tuner).toBeUndefined();
  });

  it('both stopwatches tell times', async () => {
    const context = await createContext({ gpu: await nodeGpu(), tune: empty() });
    const nothing = { encode() {} };
    expect(context.device.features.has('timestamp-query')).toBe(true);
    const own = await createStopwatch(context);
    expect(await own.time(nothing, 1, '')).toBeGreaterThanOrEqual(0);
    const without = await testContext();
    expect(without.device.features.has('timestamp-query')).toBe(false);
    const empties: number[] = [];
    const now = vi.spyOn(performance, 'now').mockImplementation(() => empties.push(0) * 0.25);
    const page = await createStopwatch(without);
    expect(await page.time(nothing, 1, '')).toBe(0.25);
    expect(page.resolution).toBe(0.25);
    now.mockImplementation(() => empties.push(0) * 50);
    await expect(createStopwatch(without)).rejects.toThrow(/expected a clock of 2 ms or finer, got 50/);
    now.mockRestore();
    context.dispose();
  });
});
