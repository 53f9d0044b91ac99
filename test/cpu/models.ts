/** CPU contexts that are disposed of after their test, models, and their reference outputs. */
import { onTestFinished } from 'vitest';
import type { CpuContext } from '../../src/cpu/cpu.ts';
import type { LayerSpec } from '../../src/layers/specs.ts';
import { forwardGraph, type Model, sequential } from '../../src/model/model.ts';
import { createContext } from '../../src/open.ts';
import { evaluateGraph } from '../../src/reference/graph.ts';
import { numbers } from '../kernels/harness.ts';

/** A CPU context that is disposed of after the test. */
export async function cpu(threads = 1, keepWeights?: number): Promise<CpuContext> {
  const options = { threads, ...(keepWeights !== undefined && { keepWeights }) };
  const context = (await createContext({ backend: 'cpu', ...options })) as CpuContext;
  onTestFinished(() => context.dispose());
  return context;
}

/** A model whose parameters differ from their initial values. */
export function modelOf(layers: LayerSpec[], inputs: number): Model {
  const model = sequential(layers, { input: [inputs], seed: 11 });
  let i = 0;
  for (const [name, values] of model.parameters) {
    if (name.endsWith('.weight')) continue;
    model.parameters.set(
      name,
      numbers(values.length, i++).map((value) => (name.endsWith('.u') ? 1 : 0) + 0.5 * value),
    );
  }
  return model;
}

export function reference(model: Model, x: Float32Array, rows: number): Float64Array {
  const { graph, x: input, output } = forwardGraph(model, rows);
  const values = new Map([[input, Float64Array.from(x)]]);
  for (const value of graph.values) {
    const numbers = model.parameters.get(value.name);
    if (numbers) values.set(value, Float64Array.from(numbers));
  }
  evaluateGraph(graph, values);
  return values.get(output)!;
}

/** For f32 sums in five layers, each with a slope of at most 1.2. */
export const tolerance = { absolute: 2e-5, relative: 2e-5, reason: 'f32 sums over five layers; tables of 21 bits' };
