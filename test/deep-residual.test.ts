/** 200 residual blocks: graphs, plans and programs grow with the blocks, and nothing doubles from one to the next. */
import { expect, it } from 'vitest';
import { allLowerings } from '../src/gpu/lower/all.ts';
import { createPlan } from '../src/gpu/plan.ts';
import { differentiate } from '../src/graph/differentiate.ts';
import { losses } from '../src/graph/losses.ts';
import { update } from '../src/graph/optimizers.ts';
import { residual } from '../src/layers/blocks.ts';
import { halfDense } from '../src/layers/dense.ts';
import { forwardGraph } from '../src/model/model.ts';
import { registerConvolutions } from '../src/predict/convolution.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { expectClose } from './compare.ts';
import { cpu, modelOf, reference } from './cpu/models.ts';
import { numbers } from './kernels/harness.ts';

const [BLOCKS, UNITS] = [200, 16];

/** Milliseconds and bytes of heap: about five times what is measured, and far below what doubling takes after 24 blocks. */
const [MOST_MS, MOST_BYTES] = [5_000, 64 * 2 ** 20];

registerConvolutions();

/** The blocks add little each, so that rounding does not grow. */
function deepModel() {
  const block = residual([halfDense({ units: UNITS, activation: 'tanh' })]);
  const model = modelOf(Array(BLOCKS).fill(block), UNITS);
  for (const [name, values] of model.parameters) {
    model.parameters.set(
      name,
      values.map((value) => value / BLOCKS),
    );
  }
  return model;
}

async function bounded<T>(work: () => T | Promise<T>): Promise<T> {
  const [started, before] = [performance.now(), process.memoryUsage().heapUsed];
  const made = await work();
  expect(performance.now() - started).toBeLessThan(MOST_MS);
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(MOST_BYTES);
  return made;
}

it('gives values names that do not grow', () => {
  const { graph, output } = forwardGraph(deepModel(), 1);
  for (const [value, d] of differentiate(graph, output, graph.values[0]!)) {
    update(graph, { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 }, value, d);
  }
  expect(Math.max(...graph.values.map(({ name }) => name.length))).toBeLessThan(40);
});

it('predicts on the CPU what the float64 twins do', async () => {
  const model = deepModel();
  const x = numbers(2 * UNITS, 5);
  const context = await cpu();
  const got = await bounded(async () => {
    const predictor = await createPredictor(context, model);
    const answer = await predictor.predict(x);
    await predictor.dispose();
    return answer;
  });
  const tolerance = { absolute: 1e-4, relative: 1e-4, reason: `f32 sums over ${BLOCKS} blocks of slope near 1` };
  expectClose(got, reference(model, x, 2), tolerance);
});

it.each([false, true])('is planned for the GPU, training: %s', async (training) => {
  const plan = await bounded(() => {
    const { graph, output } = forwardGraph(deepModel(), 8, training ? 'train' : 'predict');
    if (!training) return createPlan(graph, allLowerings, { outputs: [output] });
    const { loss, gradient } = losses.meanSquaredError.add(
      graph,
      output,
      losses.meanSquaredError.targets(graph, output),
    );
    for (const [value, d] of differentiate(graph, output, gradient)) {
      update(graph, { kind: 'sgd', momentum: 0.9 }, value, d);
    }
    return createPlan(graph, allLowerings, { outputs: [loss], update: true });
  });
  // A product with its epilogue, and the sum.
  if (!training) expect(plan.dispatches).toHaveLength(2 * BLOCKS);
  expect(plan.slots.length).toBeLessThan(training ? 4 * BLOCKS : 5);
  expect(plan.keys).toHaveLength(BLOCKS);
});
