import { describe, expect, it } from 'vitest';
import { covered } from '../src/conformance/groups.ts';
import { ShapeError } from '../src/core/errors.ts';
import { image } from '../src/gpu/lower/images.ts';
import type { LoweringTable } from '../src/gpu/lower/lowering.ts';
import { differentiate, frozenPrefix } from '../src/graph/differentiate.ts';
import { apply, everyOp } from '../src/graph/every-op.ts';
import { gradients } from '../src/graph/gradients.ts';
import { createGraph, input, parameter } from '../src/graph/graph.ts';
import { losses } from '../src/graph/losses.ts';
import { update } from '../src/graph/optimizers.ts';
import { dense, halfDense, randomDense } from '../src/layers/dense.ts';
import { forwardGraph, sequential } from '../src/model/model.ts';
import { evaluateGraph } from '../src/reference/graph.ts';

const weights = { seed: 1, tensor: 0, distribution: 'normal' } as const;

describe('shapes', () => {
  it('infers them', () => {
    const graph = createGraph();
    const x = input(graph, 'x', [3, 5]);
    const { z } = apply(graph, 'randomMatmul', { x, weights, units: 7 });
    expect(z.shape).toEqual([3, 7]);
    const w = parameter(graph, 'w', [2, 7]);
    expect(apply(graph, 'matmul', { a: z, b: w, transposeB: true }).c.shape).toEqual([3, 2]);
  });

  it.each([
    [
      'inner sizes',
      () => {
        const graph = createGraph();
        apply(graph, 'matmul', { a: input(graph, 'a', [3, 5]), b: input(graph, 'b', [4, 2]) });
      },
      /inner sizes to agree, got 5 of 'a' \(3, 5\) and 4 of 'b' \(4, 2\)/,
    ],
    [
      'bias',
      () => {
        const graph = createGraph();
        const b = parameter(graph, 'b', [4]);
        apply(graph, 'epilogue', { z: input(graph, 'z', [3, 5]), b, activation: 'relu' });
      },
      /expected 'b' of shape \(5\), got \(4\)/,
    ],
    [
      'rank',
      () => {
        const graph = createGraph();
        apply(graph, 'randomMatmul', { x: input(graph, 'x', [3]), weights, units: 4 });
      },
      /expected 'x' to be a matrix, got shape \(3\)/,
    ],
    [
      'zero units',
      () => {
        const graph = createGraph();
        apply(graph, 'randomMatmul', { x: input(graph, 'x', [3, 2]), weights, units: 0 });
      },
      /expected sizes of 1 or more/,
    ],
    [
      'labels',
      () => {
        const graph = createGraph();
        losses.crossEntropy.add(graph, input(graph, 'logits', [3, 5]), input(graph, 'labels', [3]));
      },
      /expected u32 labels, got f32/,
    ],
  ])('refuses wrong ones: %s', (_, build, message) => {
    expect(build).toThrow(ShapeError);
    expect(build).toThrow(message);
  });
});

describe('differentiate', () => {
  const build = (layers: Parameters<typeof sequential>[0]) => {
    const { graph, output } = forwardGraph(sequential(layers, { input: [6], seed: 3 }), 4);
    const labels = input(graph, 'labels', [4], 'u32');
    const { gradient } = losses.crossEntropy.add(graph, output, labels);
    return { graph, gradients: differentiate(graph, output, gradient) };
  };

  it('reaches every trained parameter, with its shape', () => {
    const { gradients } = build([
      halfDense({ units: 5 }),
      dense({ units: 7, activation: 'tanh' }),
      halfDense({ units: 3 }),
    ]);
    expect([...gradients.keys()].map(({ name }) => name).sort()).toEqual([
      'layers.0.b',
      'layers.0.u',
      'layers.1.b',
      'layers.1.weight',
      'layers.2.b',
      'layers.2.u',
    ]);
    for (const [value, d] of gradients) expect(d.shape).toEqual(value.shape);
  });

  it('passes nothing below the lowest trained layer', () => {
    const { graph } = build([randomDense({ units: 5 }), halfDense({ units: 3 })]);
    const ops = graph.nodes.map(({ op }) => op);
    expect(ops).not.toContain('randomMatmulTransposed');
    expect(ops.filter((op) => op === 'epilogueParameterGradient')).toHaveLength(1);
  });

  it('regenerates the transposed product in between', () => {
    const { graph } = build([halfDense({ units: 5 }), halfDense({ units: 4 }), halfDense({ units: 3 })]);
    expect(graph.nodes.filter(({ op }) => op === 'randomMatmulTransposed')).toHaveLength(2);
  });

  it('adds the gradients of a value that is used twice', () => {
    const graph = createGraph();
    const w = parameter(graph, 'w', [4, 4]);
    const { c: y } = apply(graph, 'matmul', { a: w, b: w });
    const gradients = differentiate(graph, y, input(graph, 'dy', [4, 4]));
    expect(graph.nodes.map(({ op }) => op)).toEqual(['matmul', 'matmul', 'matmul', 'add']);
    expect(gradients.get(w)).toBe(graph.nodes.at(-1)!.makes[0]);
  });

  it('multiplies the gradient of a product of elements by the other factor', () => {
    const graph = createGraph();
    const [a, b] = [parameter(graph, 'a', [2, 3]), parameter(graph, 'b', [2, 3])];
    const { c: y } = apply(graph, 'multiply', { a, b });
    const dy = input(graph, 'dy', [2, 3]);
    const gradients = differentiate(graph, y, dy);
    const values = new Map([
      [a, Float64Array.of(1, 2, 3, 4, 5, 6)],
      [b, Float64Array.of(7, -8, 9, 0, 11, 12)],
      [dy, Float64Array.of(1, 1, -2, 3, 0.5, 0)],
    ]);
    evaluateGraph(graph, values);
    expect([...values.get(y)!]).toEqual([7, -16, 27, 0, 55, 72]);
    expect([...values.get(gradients.get(a)!)!]).toEqual([7, -8, -18, 0, 5.5, 0]);
    expect([...values.get(gradients.get(b)!)!]).toEqual([1, 2, -6, 12, 2.5, 0]);
  });
});

describe('frozenPrefix', () => {
  const prefixOf = (layers: Parameters<typeof sequential>[0]) => {
    const forward = forwardGraph(sequential(layers, { input: [6], seed: 3 }), 4);
    return { ...forward, prefix: frozenPrefix(forward.graph, forward.x) };
  };

  it("is a first half layer's product", () => {
    const { prefix, layers } = prefixOf([halfDense({ units: 5 }), dense({ units: 3 })]);
    expect(prefix).toEqual([layers[0]!.z]);
  });

  it('goes through random layers up to the first trained number', () => {
    const { prefix, layers } = prefixOf([randomDense({ units: 5 }), halfDense({ units: 4 }), dense({ units: 3 })]);
    expect(prefix).toEqual([layers[1]!.z]);
    const other = prefixOf([randomDense({ units: 5 }), dense({ units: 3 })]);
    expect(other.prefix).toEqual([other.layers[0]!.y]);
  });

  it('is the input in front of a dense layer', () => {
    const { prefix, x } = prefixOf([dense({ units: 5 }), halfDense({ units: 3 })]);
    expect(prefix).toEqual([x]);
  });

  it('is the same in a training graph', () => {
    const { graph, x, output, layers } = prefixOf([halfDense({ units: 5 }), dense({ units: 3 })]);
    const { gradient } = losses.crossEntropy.add(graph, output, input(graph, 'labels', [4], 'u32'));
    for (const [value, d] of differentiate(graph, output, gradient))
      update(graph, { kind: 'sgd', momentum: 0 }, value, d);
    expect(frozenPrefix(graph, x)).toEqual([layers[0]!.z]);
  });
});

describe('tables over the operations', () => {
  it('do not compile while one is missing', () => {
    const { add: gradient, ...rules } = gradients;
    const { add: lowering, ...lowerings } = image;
    const { add: cases, ...others } = covered;
    // @ts-expect-error: no gradient of 'add'
    const withoutRule: typeof gradients = rules;
    // @ts-expect-error: no lowering of 'add'
    const withoutLowering: LoweringTable<'image'> = lowerings;
    // @ts-expect-error: no cases of 'add'
    const withoutCases: typeof covered = others;
    for (const table of [withoutRule, withoutLowering, withoutCases]) expect(table).not.toHaveProperty('add');
    expect([gradient, lowering, cases]).not.toContain(undefined);
    expect(Object.keys(gradients).sort()).toEqual(Object.keys(everyOp).sort());
  });
});
