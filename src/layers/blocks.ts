/** Dropout, and blocks of layers around a value: residual and gated ones. */
import { ShapeError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { applyFrom } from '../graph/graph.ts';
import { blockOps } from '../graph/ops/blocks.ts';
import type { LayerKinds } from './kind.ts';
import { kindOf } from './kinds.ts';
import type { DropoutSpec, GatedSpec, LayerSpec, ResidualSpec, Shape } from './specs.ts';

const apply = applyFrom(blockOps);

/** In training, sets a share `rate` of the numbers to zero and scales up the others. Has no effect in prediction. */
export function dropout(options: { rate: number }): DropoutSpec {
  expectOptions('dropout', options, { rate: 'any' });
  const { rate } = options;
  if (!(typeof rate === 'number' && rate >= 0 && rate < 1)) {
    throw new ShapeError(`dropout: expected a rate of 0 or more and below 1, got ${String(rate)}`);
  }
  return { kind: 'dropout', rate };
}

/** The layers of a block. Throws `ShapeError` without any. */
function inside(what: string, layers: readonly LayerSpec[]): LayerSpec[] {
  if (!Array.isArray(layers) || layers.length === 0) throw new ShapeError(`${what}: expected at least one layer`);
  return [...layers];
}

/** y = x + layers(x). The layers must preserve the shape. */
export const residual = (layers: readonly LayerSpec[]): ResidualSpec => ({
  kind: 'residual',
  layers: inside('residual', layers),
});

/**
 * y = x * layers(x), element by element: the layers weigh each number of x. They must preserve the shape. A last
 * activation `sigmoid` makes them gates from 0 to 1, as in gated linear units (Dauphin et al., arXiv:1612.08083).
 */
export const gated = (layers: readonly LayerSpec[]): GatedSpec => ({ kind: 'gated', layers: inside('gated', layers) });

/** Throws `ShapeError` unless the layers preserve the shape. */
function sameShape({ layers }: ResidualSpec | GatedSpec, input: Shape): Shape {
  const output = layers.reduce((shape, spec) => kindOf(spec).output(spec, shape), input);
  if (output.join() !== input.join()) {
    throw new ShapeError(`expected layers that keep the shape (${input.join(', ')}), got (${output.join(', ')})`);
  }
  return input;
}

type Block = { layers: readonly LayerSpec[] };

/** What src/convolution.ts adds to the kinds of layers. */
export const blockKinds = {
  dropout: {
    make: dropout,
    output: (_, input) => input,
    add({ graph, spec, index, seed, phase, x }) {
      if (phase === 'predict') return { y: x };
      const mask = { seed, tensor: DROPOUT_TENSORS + index };
      return { y: apply(graph, 'dropout', { x, mask, rate: phase === 'train' ? spec.rate : 0 }).y };
    },
  },
  residual: {
    make: ({ layers }: Block) => residual(layers),
    output: sameShape,
    add: ({ graph, x, inner }) => ({ y: apply(graph, 'add', { a: x, b: inner(x) }).c }),
  },
  gated: {
    make: ({ layers }: Block) => gated(layers),
    output: sameShape,
    add: ({ graph, x, inner }) => ({ y: apply(graph, 'multiply', { a: x, b: inner(x) }).c }),
  },
} satisfies LayerKinds;

/** Masks are numbered from here, apart from random matrices. */
const DROPOUT_TENSORS = 0xc0000000;
