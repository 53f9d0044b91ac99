/** Operations that join or thin out what other layers compute. */
import type { WeightSpec } from '../../weights/distributions.ts';
import { op } from '../declare.ts';
import { expectShape } from '../value.ts';

export const blockOps = {
  /**
   * y = x / (1 - rate), or 0 with probability `rate`, decided by the words of `mask` at the step. A copy if rate is 0.
   */
  dropout: op<{ readonly mask: Pick<WeightSpec, 'seed' | 'tensor'>; readonly rate: number }>()('training', ['x'], {
    y: ({ x }) => x.shape,
  }),
  /** c = a + b. */
  add: op()('image', ['a', 'b'], { c: ({ a, b }) => expectShape(b, a.shape) }),
  /** c = a * b, element by element. */
  multiply: op()('image', ['a', 'b'], { c: ({ a, b }) => expectShape(b, a.shape) }),
} as const;
