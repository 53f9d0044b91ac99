/**
 * Operations of any sizes: refused by a named error before anything is compiled or encoded, or made of dispatches whose
 * numbers fit what shaders read. Grids beyond the device's limit are refused later (large-grids.test.ts), results of
 * small sizes are compared with the twins (test/kernels, conformance).
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { withinGrid } from '../kernels/dispatch.ts';
import { activationNames } from '../src/core/activations.ts';
import { WeightlessError } from '../src/core/errors.ts';
import { allLowerings } from '../src/gpu/lower/all.ts';
import { createPlan } from '../src/gpu/plan.ts';
import { registerEveryKind } from '../src/layers/every.ts';
import { forwardGraph, sequential } from '../src/model/model.ts';
import { recipeOf } from '../src/ops/recipe.ts';
import type { OperationSpec } from '../src/ops.ts';
import { distributionNames, elementwiseNames } from '../src/weights/distributions.ts';
import { parseLayers } from '../tools/common/architecture.ts';

registerEveryKind();

/** Sizes at the edges of tiles, of one dimension of a grid, and of what 32 bits hold. */
const small = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000);
const large = fc.constantFrom(4096, 65_535, 65_536, 65_537, 2_097_121);
const absurd = fc.constantFrom(2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33, 2 ** 53, 0, -1, 1.5, Number.NaN);
const size = fc.oneof(
  { arbitrary: small, weight: 6 },
  { arbitrary: large, weight: 2 },
  { arbitrary: absurd, weight: 1 },
);

const weights = fc.record({
  seed: fc.constantFrom(0, 7, 2 ** 32 - 1),
  tensor: fc.constantFrom(0, 1, 2 ** 32 - 1),
  distribution: fc.constantFrom(...distributionNames),
});
const independent = fc.record({
  seed: fc.constant(1),
  tensor: fc.constant(0),
  distribution: fc.constantFrom(...elementwiseNames),
});
const flag = fc.boolean();
const epilogue = { scale: flag, bias: flag, activation: fc.constantFrom(...activationNames) };
const some = <T>(...names: T[]) => fc.subarray(names, { minLength: 1 });
/** Windows have many sizes: mostly such that a kernel fits. */
const few = fc.oneof({ arbitrary: fc.integer({ min: 1, max: 9 }), weight: 24 }, { arbitrary: size, weight: 1 });
const pixels = fc.oneof({ arbitrary: fc.integer({ min: 9, max: 64 }), weight: 8 }, { arbitrary: size, weight: 1 });
const border = fc.oneof({ arbitrary: fc.nat(9), weight: 12 }, { arbitrary: fc.constant(70_000), weight: 1 });
const window = {
  ...{ height: pixels, width: pixels, channels: few, filters: few, rows: few },
  ...{ kernel: fc.tuple(few, few), stride: fc.tuple(few, few), dilation: fc.tuple(few, few) },
  padding: fc.tuple(border, border),
};
const product = { m: size, k: size, n: size };

const specs: { readonly [O in OperationSpec['op']]: fc.Arbitrary<object> } = {
  randomMatmul: fc.record({
    ...{ ...product, weights, ...epilogue, product: flag },
    ...{ inputs: fc.constantFrom('f32', 'u8', 'i8'), precision: fc.constantFrom('f32', 'f16') },
  }),
  randomMatmulTransposed: fc.record({ ...product, weights }),
  randomMatmulGradient: fc.record({ ...product, weights, ...epilogue, gradients: some('x', 'scale', 'bias') }),
  epilogue: fc.record({ m: size, n: size, ...epilogue }),
  epilogueGradient: fc.record({ m: size, n: size, ...epilogue, gradients: some('z', 'scale', 'bias') }),
  dense: fc.record({ ...product, bias: flag, activation: epilogue.activation }),
  denseGradient: fc.record({ ...product, bias: flag, activation: epilogue.activation, gradients: some('x', 'w') }),
  halfConv2d: fc.record({ ...window, weights: independent, ...epilogue }),
  halfConv2dGradient: fc.record({ ...window, weights: independent, ...epilogue, gradients: some('x', 'scale') }),
  vera: fc.record({ ...product, rank: size, a: weights, b: weights, base: flag }),
  veraGradient: fc.record({ ...product, rank: size, a: weights, b: weights, gradients: some('x', 'd', 'b') }),
  materialize: fc.record({
    ...{ weights, fanIn: size, dtype: fc.constantFrom('f32', 'i8'), transposed: flag },
    inputs: fc.tuple(fc.constantFrom(0, 3), size),
    units: fc.tuple(fc.constantFrom(0, 64), size),
  }),
};

type Numbers = { readonly params: object; readonly grid: readonly number[] };

function expectNumbers({ params, grid }: Numbers): void {
  for (const [name, value] of Object.entries(params) as [string, number][]) {
    const fits = Number.isInteger(value) ? value >= -(2 ** 31) && value < 2 ** 32 : Number.isFinite(value);
    expect(fits, `${name} = ${value}`).toBe(true);
  }
  for (const groups of grid) expect(Number.isSafeInteger(groups) && groups > 0, `grid ${grid}`).toBe(true);
}

/** What `make` returns, or undefined where it refuses by name. */
function orRefused<T>(make: () => T): T | undefined {
  const started = performance.now();
  try {
    return make();
  } catch (error) {
    if (!(error instanceof WeightlessError)) throw error;
    expect(error.message).toMatch(/expected|got/);
    expect(performance.now() - started).toBeLessThan(2000);
    return undefined;
  }
}

describe.each(Object.entries(specs))('%s', (op, spec) => {
  it('of any sizes fits or is refused by name', () => {
    let [fits, refused] = [0, 0];
    fc.assert(
      fc.property(spec, flag, (fields, software) => {
        const choice = { software, features: new Set(['shader-f16']) as never };
        const recipe = orRefused(() => recipeOf({ choice }, { op, ...fields } as OperationSpec));
        if (!recipe) refused++;
        for (const dispatch of recipe?.dispatches ?? []) {
          expectNumbers(dispatch);
          fits += Number(withinGrid([dispatch]));
        }
        for (const { bytes } of Object.values(recipe?.bindings ?? {})) {
          expect(Number.isSafeInteger(bytes) && bytes > 0, `${bytes} bytes`).toBe(true);
        }
      }),
      { numRuns: 80 },
    );
    expect(fits).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
  });
});

describe('a plan of a model', () => {
  const networks = [
    'half 300 binary gelu, random 65, dense 3',
    'half 64 orthogonal rank 2, dense 2',
    'half-conv 3 2x2 padding 1, pool 2, residual (conv 3 1), global-pool, dense 2',
  ].map((layers) => sequential(parseLayers(layers), { input: [4, 5] }));
  it('for any number of rows fits or is refused by name', () => {
    fc.assert(
      fc.property(fc.constantFrom(...networks), size, flag, (model, rows, software) => {
        const plan = orRefused(() => {
          const { graph, output } = forwardGraph(model, rows);
          return createPlan(graph, allLowerings, { outputs: [output], software });
        });
        for (const dispatch of plan?.dispatches ?? []) expectNumbers(dispatch);
      }),
      { numRuns: 150 },
    );
  });
});
