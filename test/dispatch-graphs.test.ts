/**
 * Graphs of models of any sizes, which predict, evaluate or train, up to the buffers of a device: dispatches that the
 * device runs as they are (whole workgroups within its limits, parameters that their types hold), or a named error
 * before anything is encoded. Operations: test/dispatch-properties.test.ts; numbers: test/large-grids.test.ts.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Dispatch, MAX_WORKGROUPS } from '../kernels/dispatch.ts';
import { WeightlessError } from '../src/core/errors.ts';
import { paramsOf, readSource } from '../src/core/kernel-source.ts';
import { elementwiseLosses } from '../src/core/losses.ts';
import { expectGrids } from '../src/gpu/kernel.ts';
import { allLowerings } from '../src/gpu/lower/all.ts';
import { createPlan, type PlanOptions } from '../src/gpu/plan.ts';
import type { Graph } from '../src/graph/graph.ts';
import { elements } from '../src/graph/value.ts';
import { registerEveryKind } from '../src/layers/every.ts';
import { forwardGraph } from '../src/model/model.ts';
import { batchGraph } from '../src/train/graphs.ts';
import { parseLayers } from '../tools/common/architecture.ts';

registerEveryKind();

/** WebGPU's default limits. */
const MOST_ELEMENTS = 2 ** 27 / 4;
const device = { limits: { maxComputeWorkgroupsPerDimension: MAX_WORKGROUPS } };

const EDGES = [3, 65_535, 65_536, 2_097_120, 2_097_121, 4_194_241, 8_388_481];

/** Sizes of every magnitude, most often at the edges of tiles and grids. */
const sizes = (most: number) =>
  fc.oneof(
    fc.constantFrom(1, ...EDGES.filter((size) => size <= most)),
    fc
      .tuple(fc.nat(Math.floor(Math.log2(most))), fc.integer({ min: -1, max: 1 }))
      .map(([log, more]) => Math.min(most, Math.max(1, 2 ** log + more))),
  );

/** Two sizes whose product, with others of up to `left` beside it, fits a buffer. */
const together = (left = 1) =>
  sizes(MOST_ELEMENTS / left).chain((one) => sizes(MOST_ELEMENTS / left / one).map((other) => [one, other] as const));

/** Throws unless a device runs the dispatches as they are. */
async function expectRunnable(dispatches: readonly Dispatch<unknown>[]): Promise<void> {
  expectGrids({ device } as never, dispatches);
  for (const { source, grid, params } of dispatches) {
    for (const groups of grid) {
      expect(Number.isInteger(groups) && groups >= 1 && groups <= MAX_WORKGROUPS, `${source.name}: ${grid}`).toBe(true);
    }
    for (const [name, type] of paramsOf(await readSource(source))) {
      const value = params[name!]!;
      const holds =
        type === 'f32'
          ? Number.isFinite(Math.fround(value))
          : Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32; // steps backwards wrap around
      expect(holds, `${source.name}: ${name} ${type} = ${value}`).toBe(true);
    }
  }
}

/** Counts what runs and what a named error refuses, within two seconds; nothing where no buffer takes the values. */
async function runnable(
  count: { fits: number; refused: number },
  make: () => readonly Dispatch<unknown>[] | undefined,
) {
  const { user } = process.cpuUsage();
  try {
    const dispatches = make();
    if (!dispatches) return;
    await expectRunnable(dispatches);
    count.fits++;
  } catch (error) {
    if (!(error instanceof WeightlessError)) throw error;
    expect(error.message).toMatch(/expected .* got|expected at most/);
    count.refused++;
  }
  expect((process.cpuUsage().user - user) / 1000).toBeLessThan(2000);
}

/** A layer in the notation of --layers; `n` is its size. */
const layers: readonly ((n: number) => string)[] = [
  (n) => `half ${n}`,
  (n) => `half ${n} binary`,
  (n) => `random ${n} orthogonal`,
  (n) => `dense ${n} tanh`,
  (n) => `half ${n} patch`,
  (n) => `half-conv ${n} 3x3 same`,
  (n) => `conv ${n} 3x3 stride 2`,
  () => 'pool 2x2',
  () => 'average-pool 3x3 stride 1',
  () => 'global-pool',
  () => 'dropout 0.5',
  (n) => `vera ${n} rank 4`,
  () => 'residual (dropout 0.1)',
  () => 'gated (dropout 0.1)',
];

it('graphs of models of any size, which predict, evaluate or train, are such dispatches, or a named error', async () => {
  const count = { fits: 0, refused: 0 };
  const layer = fc.tuple(fc.nat(layers.length - 1), sizes(4096)).map(([which, n]) => layers[which]!(n));
  const recipe = fc.record({
    ...{ inputs: together(512), names: fc.array(layer, { minLength: 1, maxLength: 4 }), rows: sizes(2 ** 20) },
    ...{ loss: fc.constantFrom('crossEntropy', ...elementwiseLosses), adam: fc.boolean(), software: fc.boolean() },
    phase: fc.constantFrom('predict', 'train', 'evaluate'),
  });
  await fc.assert(
    fc.asyncProperty(recipe, async ({ inputs, names, rows, loss, adam, software, phase }) => {
      await runnable(count, () => {
        const model = { input: inputs, layers: parseLayers(names.join(', ')), seed: 1, parameters: new Map() };
        /** Larger values are refused where their memory is allocated. */
        const plan = (graph: Graph, options: Omit<PlanOptions, 'software'>) =>
          graph.values.every((value) => elements(value) <= MOST_ELEMENTS)
            ? createPlan(graph, allLowerings, { software, ...options }).dispatches
            : undefined;
        if (phase === 'predict') {
          const { graph, output } = forwardGraph(model, rows);
          return plan(graph, { outputs: [output] });
        }
        const optimizer = adam
          ? ({ kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const)
          : ({ kind: 'sgd', momentum: 0.9 } as const);
        const { graph } = batchGraph(model, rows, { loss, optimizer } as never);
        return plan(graph, { update: phase === 'train' });
      });
    }),
    { numRuns: 300, seed: 5 },
  );
  expect(count.fits).toBeGreaterThan(50);
  expect(count.refused).toBeGreaterThan(10);
});
