/** Pooling, dropout and sums on the CPU, held to the twins of the GPU's kernels. */
import fc from 'fast-check';
import { it } from 'vitest';
import { imageSize, type Window } from '../../src/core/window.ts';
import * as cpu from '../../src/cpu/pool-windows.ts';
import { Program } from '../../src/cpu/program.ts';
import { apply } from '../../src/graph/every-op.ts';
import { createGraph, input } from '../../src/graph/graph.ts';
import { averagePool } from '../../src/reference/average_pool.ts';
import { averagePoolGradient } from '../../src/reference/average_pool_gradient.ts';
import { dropout as dropoutTwin } from '../../src/reference/dropout.ts';
import { maxPool } from '../../src/reference/max_pool.ts';
import { maxPoolGradient } from '../../src/reference/max_pool_gradient.ts';
import { positionsOf } from '../../src/reference/windows.ts';
import { expectClose, expectSame, type Tolerance } from '../compare.ts';
import { numbers, samples, size } from '../kernels/harness.ts';
import { outputOf, wholeMachine } from './machine.ts';

const machine = await wholeMachine();

/** What a call writes to its last place; what lies behind it must stay. */
function run(call: (...places: number[]) => void, inputs: Float32Array[], outputs: number): Float32Array {
  const places = inputs.map((input) => machine.place(input));
  const { at, read } = outputOf(machine, outputs);
  call(...places, at);
  return read();
}

const mean: Tolerance = { absolute: 22 * 2 ** -24, reason: 'f32 sum of up to 20 numbers up to 1' };

it('pools and their gradients are their twins over 220 shapes, overlapping windows, gaps and equal numbers', () => {
  const problems = samples(
    fc
      .record({
        rows: fc.integer({ min: 1, max: 6 }),
        height: fc.integer({ min: 1, max: 13 }),
        width: fc.integer({ min: 1, max: 37 }),
        channels: fc.constantFrom(1, 2, 3, 8, 17),
        kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 5 })),
        stride: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
        steps: fc.constantFrom(1, 3, 1000), // few: many equal numbers in a window
      })
      .filter(({ height, width, kernel }) => kernel[0] <= height && kernel[1] <= width),
    220,
    2,
  );
  for (const [i, { rows, steps, ...sizes }] of problems.entries()) {
    const mark = machine.mark();
    const window: Window = { ...sizes, padding: [0, 0], dilation: [1, 1] };
    const what = JSON.stringify({ rows, steps, ...sizes });
    const x = numbers(rows * imageSize(window), i).map((value) => Math.round(value * steps) / steps + 0); // no -0
    const dy = numbers(positionsOf(rows, window) * window.channels, i + 1000);
    const args = { rows, window, x, dy };
    const pooling = { rows, window };
    const largest = run(cpu.maxPool(machine, pooling), [x], dy.length);
    expectSame(largest, Float32Array.from(maxPool(args).y), what);
    expectClose(run(cpu.averagePool(machine, pooling), [x], dy.length), averagePool(args), mean, what);
    const given = run(cpu.maxPoolGradient(machine, pooling), [x, dy], x.length);
    expectClose(given, maxPoolGradient(args), mean, what);
    const shared = run(cpu.averagePoolGradient(machine, pooling), [dy], x.length);
    expectClose(shared, averagePoolGradient(args), mean, what);
    machine.release(mark);
  }
});

it('dropout, add and multiply are their twins over 200 sizes, bit for bit', async () => {
  const counts = samples(fc.oneof(size(300), fc.integer({ min: 1, max: 5000 })), 200);
  for (const [i, count] of counts.entries()) {
    const mark = machine.mark();
    const [a, b] = [numbers(count, i).map((value) => value + 2), numbers(count, i + 1000)];
    const rate = [0, 0.1, 0.5, 0.999][i % 4]!;
    const step = [0, 1, 77, 2 ** 31 - 1][i % 5 && i % 4]!;
    const mask = { seed: i, tensor: i % 3 };
    const graph = createGraph();
    const values = [input(graph, 'a', [1, count]), input(graph, 'b', [1, count])] as const;
    const outputs = [
      apply(graph, 'dropout', { x: values[0], mask, rate }).y,
      apply(graph, 'add', { a: values[0], b: values[1] }).c,
      apply(graph, 'multiply', { a: values[0], b: values[1] }).c,
    ];
    const places = new Map([[values[0], machine.place(a)] as const, [values[1], machine.place(b)] as const]);
    const room = outputs.map((value) => {
      const output = outputOf(machine, count);
      places.set(value, output.at);
      return output;
    });
    const program = await Program.create(machine, graph, { places, outputs });
    await program.run({ learningRate: 0, correction1: 1, correction2: 1, step });
    const [dropped, sum, products] = room.map(({ read }) => read());
    const factor = Math.fround(1 / (1 - rate)); // the kernels multiply by it
    const want = dropoutTwin({ rate, mask, step, x: a }).map((value, at) => (value === 0 ? 0 : factor * a[at]!));
    expectSame(dropped!, Float32Array.from(want), `dropout ${count} ${rate} ${step}`);
    expectSame(
      sum!,
      Float32Array.from(a, (value, at) => value + b[at]!),
      `add ${count}`,
    );
    expectSame(
      products!,
      Float32Array.from(a, (value, at) => value * b[at]!),
      `multiply ${count}`,
    );
    machine.release(mark);
  }
});
