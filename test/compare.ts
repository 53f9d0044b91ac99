/** The one comparer of the tests. */
import { expect } from 'vitest';

export interface Tolerance {
  /** Largest |got - want| that passes, in one number or for each element; added to `relative` x |want|. */
  readonly absolute: number | ArrayLike<number>;
  readonly relative?: number;
  /** Why this much. */
  readonly reason: string;
}

/**
 * Elements differ by no more than the tolerance; lengths that differ fail, and so does whatever is not finite, in the
 * tolerance too. Names the worst element.
 */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: Tolerance, what = ''): void {
  const { absolute, relative = 0, reason } = tolerance;
  expect(got.length, `${what}: length`).toBe(want.length);
  let worst = 0;
  let message = '';
  for (let i = 0; i < want.length; i++) {
    const allowed = (typeof absolute === 'number' ? absolute : absolute[i]!) + relative * Math.abs(want[i]!);
    const error = Math.abs(got[i]! - want[i]!);
    if (error <= allowed && Number.isFinite(allowed)) continue;
    const ratio = error / allowed >= 1 ? error / allowed : Infinity; // what is not finite is worst
    if (ratio > worst) {
      worst = ratio;
      message = `${what}: at ${i} got ${got[i]}, want ${want[i]}: off by ${error}, ${ratio} x the ${allowed} allowed (${reason})`;
    }
  }
  if (message) expect.fail(message);
}

/** Elements are the same, bit for bit. */
export function expectSame(got: ArrayLike<number>, want: ArrayLike<number>, what = ''): void {
  expect(got.length, `${what}: length`).toBe(want.length);
  for (let i = 0; i < want.length; i++) {
    if (!Object.is(got[i], want[i])) expect.fail(`${what}: at ${i} got ${got[i]}, want ${want[i]}`);
  }
}
