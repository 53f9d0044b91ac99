/** What solvers accumulate. */
import { op } from '../declare.ts';
import { matrix } from '../value.ts';

export const solveOps = {
  /** g (N, N) = x'x for x (M, N): its upper triangle, and zeros below it. */
  gram: op()('solve', ['x'], {
    g: ({ x }) => {
      const [, n] = matrix(x);
      return [n, n];
    },
  }),
} as const;
