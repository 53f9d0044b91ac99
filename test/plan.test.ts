import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activationNames } from '../src/core/activations.ts';
import { bindingsOf, readSource } from '../src/core/kernel-source.ts';
import { allLowerings } from '../src/gpu/lower/all.ts';
import type { Operand } from '../src/gpu/lower/lowering.ts';
import { createPlan, type PlanOptions } from '../src/gpu/plan.ts';
import { differentiate } from '../src/graph/differentiate.ts';
import { type Graph, input } from '../src/graph/graph.ts';
import { losses } from '../src/graph/losses.ts';
import { update } from '../src/graph/optimizers.ts';
import { dense, halfDense, randomDense } from '../src/layers/dense.ts';
import type { LayerSpec } from '../src/layers/specs.ts';
import { forwardGraph, sequential } from '../src/model/model.ts';

const softwarePlan = (graph: Graph, options: PlanOptions) =>
  createPlan(graph, allLowerings, { software: true, ...options });

function trainingGraph(layers: LayerSpec[]) {
  const forward = forwardGraph(sequential(layers, { input: [6], seed: 3 }), 8);
  const labels = input(forward.graph, 'labels', [8], 'u32');
  const { loss, gradient } = losses.crossEntropy.add(forward.graph, forward.output, labels);
  const gradients = differentiate(forward.graph, forward.output, gradient);
  for (const [value, d] of gradients) update(forward.graph, { kind: 'sgd', momentum: 0.9 }, value, d);
  return { ...forward, loss };
}

const names = (plan: ReturnType<typeof createPlan>) => plan.dispatches.map(({ source }) => source.name);

describe('createPlan', () => {
  it('fuses matmul, scale, bias and activation for inference', () => {
    const layers = [halfDense({ units: 5 }), dense({ units: 4, activation: 'tanh' }), halfDense({ units: 3 })];
    const { graph, output } = forwardGraph(sequential(layers, { input: [6] }), 8);
    const plan = softwarePlan(graph, { outputs: [output] });
    expect(names(plan)).toEqual(['random_matmul', 'matmul', 'random_matmul']);
    expect(plan.dispatches[0]!.constants?.EPILOGUE).toBe(2);
    expect(plan.slots).toHaveLength(2);
  });

  it('keeps the product where the backward pass reads it', () => {
    const { graph, loss } = trainingGraph([halfDense({ units: 5 }), dense({ units: 3 })]);
    const plan = softwarePlan(graph, { outputs: [loss], update: true });
    expect(names(plan).slice(0, 2)).toEqual(['random_matmul', 'epilogue']);
  });

  it('drops what no output needs', () => {
    const { graph, loss } = trainingGraph([halfDense({ units: 5 }), dense({ units: 3 })]);
    expect(names(softwarePlan(graph, { outputs: [loss] }))).toEqual([
      'random_matmul',
      'matmul',
      'softmax_cross_entropy',
    ]);
  });

  it('starts from a given prefix', () => {
    const { graph, loss, layers } = trainingGraph([halfDense({ units: 5 }), dense({ units: 3 })]);
    const plan = softwarePlan(graph, { given: [layers[0]!.z!], outputs: [loss], update: true });
    expect(names(plan)).not.toContain('random_matmul');
    expect(plan.keys).toHaveLength(0);
  });

  it('uses one invocation a unit for few rows', () => {
    const { graph, output } = forwardGraph(sequential([halfDense({ units: 5 })], { input: [6] }), 1);
    expect(names(softwarePlan(graph, { outputs: [output] }))).toEqual(['random_matmul_rows']);
  });

  it('gives a product of several dispatches scratch memory, for that step alone', () => {
    const layers = [halfDense({ units: 5, weights: 'binary' }), halfDense({ units: 300, weights: 'binary' })];
    const { graph, output } = forwardGraph(sequential(layers, { input: [100] }), 2);
    const plan = createPlan(graph, allLowerings, { outputs: [output] });
    const twice = ['sign_sums', 'random_matmul_sign_sums'];
    expect(names(plan)).toEqual([...twice, ...twice]);
    expect(plan.slots.slice().sort((a, b) => a - b)).toEqual([40, 2 * 16 * 256 * 4]); // 100 signs lie in 16 bytes
    expect(names(createPlan(graph, allLowerings, { outputs: [output], inOrder: true }))).toEqual(
      Array(2).fill('random_matmul_rows'),
    );
  });

  it('takes the kernel that is asked for, and says which there are', () => {
    const { graph, output } = forwardGraph(sequential([halfDense({ units: 5 })], { input: [6] }), 1);
    const plan = createPlan(graph, allLowerings, { outputs: [output], kernel: 'tile 16x8' });
    expect(plan.dispatches[0]!.constants).toMatchObject({ ROWS: 16, UNITS: 8 });
    expect(() => createPlan(graph, allLowerings, { outputs: [output], kernel: 'sign sums' })).toThrow(
      /expected a kernel for normal weights and 1 rows x 5 units \(rows sliced, .*, split 32x3\), got sign sums/,
    );
  });

  it('never lets two live values share a buffer (generated networks)', async () => {
    const layer = fc.record({
      kind: fc.constantFrom('half', 'random', 'dense'),
      units: fc.integer({ min: 1, max: 40 }),
      activation: fc.constantFrom(...activationNames),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(layer, { minLength: 1, maxLength: 6 }), fc.boolean(), async (specs, training) => {
        const layers = specs.map(({ kind, ...rest }) =>
          (kind === 'half' ? halfDense : kind === 'random' ? randomDense : dense)(rest),
        );
        const { graph, loss } = trainingGraph([...layers, dense({ units: 3 })]);
        const plan = softwarePlan(graph, { outputs: [loss], update: training });
        // A slot may be written again only after the last read of what it held; writes are told from reads by the WGSL.
        const writer = new Map<number, number>();
        for (const [step, dispatch] of plan.dispatches.entries()) {
          const slotOf = (name: string) => {
            const operand = dispatch.buffers[name] as Operand | undefined;
            return operand?.kind === 'slot' ? operand.slot : undefined;
          };
          const read: number[] = [];
          const written: number[] = [];
          for (const { name, type } of bindingsOf(await readSource(dispatch.source))) {
            const slot = slotOf(name);
            if (slot !== undefined) (type === 'storage' ? written : read).push(slot);
          }
          for (const slot of read) {
            expect(writer.has(slot)).toBe(true);
            expect(written).not.toContain(slot);
          }
          expect(new Set(written).size).toBe(written.length);
          for (const slot of written) writer.set(slot, step);
        }
      }),
      { numRuns: 200, seed: 7 },
    );
  });
});
