/** The comparer as test expectations. */
import { expect } from 'vitest';
import { differs, differsBy, type Tolerance } from '../src/conformance/compare.ts';

export type { Tolerance };

/** Expects that no element differs by more than the tolerance. */
export function expectClose(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: Tolerance, what = ''): void {
  const wrong = differsBy(got, want, tolerance);
  if (wrong) expect.fail(`${what}: ${wrong}`);
}

/** Expects the same elements, bit for bit. */
export function expectSame(got: ArrayLike<number>, want: ArrayLike<number>, what = ''): void {
  const wrong = differs(got, want);
  if (wrong) expect.fail(`${what}: ${wrong}`);
}
