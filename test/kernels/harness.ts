/** Runs kernels over generated cases and compares them with their twins. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { type Case, numbers, runCases, sumError } from '../../src/conformance/case.ts';
import { type ActivationName, activationNames } from '../../src/core/activations.ts';
import { testContext } from '../gpu.ts';

export { type Case, numbers, sumError };

/** Runs every case, a few dozen per submit, and compares the results. Returns the number of cases. */
export async function checkCases(cases: readonly Case[]): Promise<number> {
  const context = await testContext();
  for (let start = 0; start < cases.length; start += 32) {
    const { wrong } = await runCases(context, cases.slice(start, start + 32));
    if (wrong.length) expect.fail(wrong.join('\n'));
  }
  return cases.length;
}

/** Sizes that find edges: one, below and around a tile, primes, past several tiles. */
export const size = (most: number): fc.Arbitrary<number> =>
  fc
    .oneof(
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33, 37, 63, 64, 65, 67, 127, 128, 129, 131),
      fc.integer({ min: 1, max: most }),
    )
    .map((value) => Math.min(value, most));

/** The epilogue of a product: none, `bias` (g(z + b)) or `scale and bias` (g(u z + b)). */
export interface Tail<Distribution> {
  readonly distribution: Distribution;
  readonly form: 'z' | 'bias' | 'scale and bias';
  readonly activation: ActivationName;
}

/**
 * On the second compiler, naga in Deno, products run with one activation for each form of the epilogue. The activations
 * are branches of one function, which epilogue.test.ts runs on both compilers, all of them.
 */
const FORMS_ALONE = 'Deno' in globalThis;

/**
 * Every distribution without an epilogue, and every activation paired with the next distribution and alternating forms.
 * Distributions and epilogues are independent fragments, so not all pairs are needed. Each pair is a pipeline, which a
 * software adapter takes most of a second to compile.
 */
export function tails<Distribution>(
  distributions: readonly Distribution[],
  activations: readonly ActivationName[] = activationNames,
): Tail<Distribution>[] {
  const round = distributions.length;
  return [
    ...distributions.map((distribution) => ({ distribution, form: 'z', activation: 'identity' }) as const),
    ...activations.slice(0, FORMS_ALONE ? 2 : undefined).map((activation, i) => ({
      distribution: distributions[i % round]!,
      form: (i + Math.floor(i / round)) % 2 ? ('bias' as const) : ('scale and bias' as const),
      activation,
    })),
  ];
}

/** `count` samples of an arbitrary, the same in every run. */
export const samples = <T>(arbitrary: fc.Arbitrary<T>, count: number, seed = 1): T[] =>
  fc.sample(arbitrary, { numRuns: count, seed });
