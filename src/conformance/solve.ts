/** The kernels of the solvers. */
import { gram } from '../../kernels/gram.ts';
import { gram as gramTwin } from '../reference/gram.ts';
import { type Case, type Covered, type Group, integers } from './case.ts';

/** Sums of integers, exact in f32 in any order: below a tile, past one, past two. */
const grams: Group = {
  name: 'products of columns',
  cases: () =>
    (
      [
        [1, 1],
        [37, 9],
        [130, 70],
        [5, 131],
      ] as const
    ).map(([m, n]): Case<'x', 'g'> => {
      const x = integers(m * n, n, 100);
      return {
        what: `${m}x${n}`,
        inputs: { x },
        outputs: { g: { want: Float32Array.from(gramTwin({ m, n, x })) } },
        dispatch: ({ x, g }) => gram({ m, n, x, g }),
      };
    }) as unknown as Case[],
};

export const solveGroups: readonly Group[] = [grams];

export const solveCases: Covered<'solve'> = { gram: [grams] };
