/** Whatever the graph: a plan gives what its nodes give one by one, and nobody reads memory that another left behind. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Dispatch } from '../kernels/dispatch.ts';
import { bindingsOf, readSource } from '../src/core/kernel-source.ts';
import { readFloats, storageBuffer, uploadBuffer, writeBuffer } from '../src/gpu/buffers.ts';
import type { Context } from '../src/gpu/context.ts';
import { type BufferSlice, runDispatches } from '../src/gpu/kernel.ts';
import { allLowerings } from '../src/gpu/lower/all.ts';
import type { Operand } from '../src/gpu/lower/lowering.ts';
import { createPlan, type Plan } from '../src/gpu/plan.ts';
import { Run } from '../src/gpu/run.ts';
import { elements } from '../src/graph/value.ts';
import { unitKeys } from '../src/weights/stream.ts';
import { expectClose, expectSame } from './compare.ts';
import { testContext, throwUncaught } from './gpu.ts';
import { graphOf, graphTolerance, type RandomGraph, randomGraphs, unplanned } from './random-graphs.ts';

afterEach(throwUncaught);

/** As a software adapter plans, whatever there is: else a GPU and a software adapter would test different plans. */
const planOf = ({ graph, outputs }: RandomGraph, kernel?: 'sign sums') =>
  createPlan(graph, allLowerings, { software: true, outputs, ...(kernel && { kernel }) });

/** Runs a plan as a model does: recorded, in one pass. */
async function together(context: Context, { given }: RandomGraph, plan: Plan): Promise<Float32Array[]> {
  const buffers = new Map([...given].map(([value, data]) => [value, uploadBuffer(context, data)] as const));
  const run = await Run.create(context, plan, { buffers });
  run.submit();
  const results: Float32Array[] = [];
  for (const value of plan.outputs) {
    results.push(await readFloats(context, run.buffer(value) as GPUBuffer, elements(value)));
  }
  run.dispose();
  context.destroyBuffers(buffers.values());
  return results;
}

/** The slots that each dispatch reads and writes. */
const accessesOf = ({ dispatches }: Plan) =>
  Promise.all(
    dispatches.map(async ({ source, buffers }) => {
      const [read, written] = [new Set<number>(), new Set<number>()];
      for (const { name, type } of bindingsOf(await readSource(source))) {
        const operand = buffers[name];
        if (operand?.kind === 'slot') (type === 'storage' ? written : read).add(operand.slot);
      }
      return { read, written };
    }),
  );

/** Slots whose content somebody still reads before it is written again, ahead of each dispatch. */
async function liveSlots(plan: Plan): Promise<ReadonlySet<number>[]> {
  const accesses = await accessesOf(plan);
  return accesses.map((_, step) => {
    const next = (slot: number) =>
      accesses.slice(step).find(({ read, written }) => read.has(slot) || written.has(slot));
    return new Set(plan.slots.map((_, slot) => slot).filter((slot) => next(slot)?.read.has(slot)));
  });
}

/** Runs a plan dispatch by dispatch; before each, every slot that holds nothing of use is filled with NaN. */
async function poisoned(context: Context, { given }: RandomGraph, plan: Plan): Promise<Float32Array[]> {
  const live = await liveSlots(plan);
  const buffers = new Map([...given].map(([value, data]) => [value, uploadBuffer(context, data)] as const));
  for (const value of plan.outputs) {
    if (!buffers.has(value))
      buffers.set(value, uploadBuffer(context, new Float32Array(elements(value)).fill(Number.NaN)));
  }
  const slots = plan.slots.map((bytes) => storageBuffer(context, bytes, 'slot'));
  const keys = plan.keys.map(({ weights: { seed, tensor }, units }) =>
    uploadBuffer(context, unitKeys(seed, tensor, units)),
  );
  const bufferOf = (operand: Operand): BufferSlice => {
    if (operand.kind === 'slot') return slots[operand.slot]!;
    if (operand.kind === 'keys') return keys[operand.keys]!;
    if (operand.kind === 'value') return buffers.get(operand.value)!;
    throw new Error('no step is taken here');
  };
  for (const [step, dispatch] of plan.dispatches.entries()) {
    slots.forEach((slot, i) => {
      if (!live[step]!.has(i)) writeBuffer(context, slot, 0, new Float32Array(slot.size / 4).fill(Number.NaN));
    });
    const bound = Object.entries(dispatch.buffers).map(([name, operand]) => [name, bufferOf(operand)]);
    await runDispatches(context, [{ ...dispatch, buffers: Object.fromEntries(bound) } as Dispatch<BufferSlice>]);
  }
  const results: Float32Array[] = [];
  for (const value of plan.outputs) results.push(await readFloats(context, buffers.get(value)!, elements(value)));
  context.destroyBuffers([...buffers.values(), ...slots, ...keys]);
  return results;
}

describe('a plan', () => {
  it('gives the result of its graph, and the same bits with all memory poisoned between uses', async () => {
    const context = await testContext();
    const before = context.memory.bytes;
    let [shared, planned] = [0, 0];
    await fc.assert(
      fc.asyncProperty(randomGraphs, fc.boolean(), async (recipe, sums) => {
        const random = graphOf(recipe);
        const plan = planOf(random, sums ? 'sign sums' : undefined);
        const want = unplanned(random);
        const got = await together(context, random, plan);
        plan.outputs.forEach((value, i) => {
          expectClose(got[i]!, want.get(value)!, graphTolerance, value.name);
        });
        const again = await poisoned(context, random, plan);
        got.forEach((numbers, i) => {
          expectSame(again[i]!, numbers, `${plan.outputs[i]!.name}, poisoned`);
        });
        planned++;
        const writes = (await accessesOf(plan)).reduce((sum, { written }) => sum + written.size, 0);
        if (writes > plan.slots.length) shared++;
      }),
      { numRuns: 60, seed: 11 },
    );
    expect(planned).toBe(60);
    expect(shared).toBeGreaterThan(15); // else nothing was put to the test
    expect(context.memory.bytes).toBe(before);
  });

  it('that lets live values share memory, or reads what nobody wrote, gives another', async () => {
    const context = await testContext();
    const step = { from: 0, other: 0, units: 8, output: false } as const;
    const random = graphOf({
      rows: 5,
      columns: 8,
      steps: [
        { ...step, op: 'bias' },
        { ...step, op: 'scale and bias' },
        { ...step, op: 'add', from: 1, other: 2 },
      ],
      gradients: false,
    });
    const plan = planOf(random);
    expect(plan.slots).toHaveLength(2);
    const want = unplanned(random).get(plan.outputs[0]!)!;
    expectClose((await poisoned(context, random, plan))[0]!, want, graphTolerance);
    const changed = (change: (name: string, operand: Operand, step: number) => Operand): Plan => ({
      ...plan,
      dispatches: plan.dispatches.map((dispatch, step) => {
        const buffers = Object.entries(dispatch.buffers).map(([name, operand]) => [name, change(name, operand, step)]);
        return { ...dispatch, buffers: Object.fromEntries(buffers) as Dispatch<Operand>['buffers'] };
      }),
    });
    const slot = (slot: number): Operand => ({ kind: 'slot', slot });
    const overlapping = changed((_, operand) => (operand.kind === 'slot' ? slot(0) : operand));
    const unwritten = {
      ...changed((name, operand, step) => (step === 2 && name === 'a' ? slot(2) : operand)),
      slots: [...plan.slots, plan.slots[0]!],
    };
    for (const wrong of [overlapping, unwritten]) {
      const [got] = await poisoned(context, random, wrong);
      expect(() => expectClose(got!, want, graphTolerance)).toThrow();
    }
  });
});
