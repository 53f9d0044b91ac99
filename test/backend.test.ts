/** What both backends promise `fit`: calibration computes each node once, a training on the CPU lets a page have its turn. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../src/backend/backend.ts';
import { evaluateOnce } from '../src/backend/evaluation.ts';
import { conv2d, halfConv2d, residual } from '../src/convolution.ts';
import { dataSet, featuresAsFloats } from '../src/data/dataset.ts';
import { boundByName } from '../src/graph/graph.ts';
import { neededNodes } from '../src/graph/needed.ts';
import type { Value } from '../src/graph/value.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { forwardGraph, sequential } from '../src/model/model.ts';
import { createContext } from '../src/open.ts';
import { calibrate, standardise } from '../src/train/calibrate.ts';
import { fit } from '../src/train/fit.ts';
import { expectSame } from './compare.ts';
import { testContext } from './gpu.ts';
import { numbers } from './kernels/harness.ts';

const backends: [string, () => Promise<Backend>][] = [
  ['the CPU', () => createContext({ backend: 'cpu', threads: 1 })],
  ['WebGPU', testContext],
];

describe('calibration', () => {
  const rows = 12;
  const model = () =>
    sequential(
      [
        halfConv2d({ channels: 3, kernel: 3, padding: 1 }),
        residual([halfConv2d({ channels: 3, kernel: 3, padding: 1 }), conv2d({ channels: 3, kernel: 3, padding: 1 })]),
        halfDense({ units: 9, activation: 'tanh' }),
        halfDense({ units: 7 }),
        dense({ units: 2 }),
      ],
      { input: [4, 4, 1], seed: 3 },
    );
  const data = dataSet({
    features: numbers(rows * 16, 1),
    shape: [4, 4, 1],
    labels: new Uint32Array(rows),
    classes: 2,
  });

  it.each(backends)('on %s computes each node once, with the bits of whole passes', async (_, open) => {
    const backend = await open();
    const want = model();
    const { graph, x, layers } = forwardGraph(want, rows);
    for (const { z, index, spec, output } of layers) {
      if (!z || !('weights' in spec)) continue;
      const given = new Map<Value, Float32Array>([[x, featuresAsFloats(data)], ...boundByName(graph, want.parameters)]);
      const units = output.at(-1)!;
      const products = (await evaluateOnce(backend, graph, given, [z])).get(z)!;
      const { u, b } = standardise(products, products.length / units, units);
      want.parameters.set(`layers.${index}.u`, u).set(`layers.${index}.b`, b);
    }
    let computed = 0;
    const counting = {
      evaluator: (graph, given, outputs) => {
        const known = [...given.keys()].filter(({ role }) => role === 'result');
        computed += neededNodes(graph, new Set(known), outputs, false).length;
        return backend.evaluator(graph, given, outputs);
      },
    } as Pick<Backend, 'evaluator'> as Backend;
    const got = model();
    await calibrate(counting, got, data);
    for (const [name, values] of want.parameters) expectSame(got.parameters.get(name)!, values, name);
    expect(computed).toBeLessThanOrEqual(graph.nodes.length);
  });
});

/** The longest wait of a timer, in ms of processor time, while a CPU trains epochs of a few rows until it is aborted. */
async function longestWait(): Promise<number> {
  const context = await createContext({ backend: 'cpu', threads: 1 });
  const data = dataSet({ features: numbers(20 * 4, 1), shape: [4], labels: new Uint32Array(20), classes: 2 });
  const model = sequential([halfDense({ units: 8 }), dense({ units: 2 })], { input: [4], seed: 1 });
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 300);
  // Processor time of this process: other programs on the machine do not count.
  const used = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const turns: number[] = [];
  const timer = setInterval(() => turns.push(used()), 1);
  let epochs = 0;
  const train = async () => {
    for await (const _ of fit(context, model, data, { epochs: 1e6, signal: stop.signal })) epochs++;
  };
  await expect(train()).rejects.toThrow('abort');
  clearInterval(timer);
  context.dispose();
  expect(epochs).toBeGreaterThan(10);
  const waits = turns.slice(3).map((at, i) => at - turns[i + 2]!); // the first compile
  expect(waits.length).toBeGreaterThan(2);
  return Math.max(...waits);
}

it('a training of short epochs on the CPU gives way every 60 ms, and hears an abort', async () => {
  // The least of several: the garbage collector and the threads of other tests count as processor time, too.
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 8 && !(least < 60); attempt++) least = Math.min(least, await longestWait());
  expect(least).toBeLessThan(60);
});
