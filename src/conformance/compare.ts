/** The one comparer of kernels and twins: answers what is wrong, or nothing. */

export interface Tolerance {
  /** Largest |got - want| that passes, in one number or for each element; added to `relative` x |want|. */
  readonly absolute: number | ArrayLike<number>;
  readonly relative?: number;
  /** Why this much. */
  readonly reason: string;
}

/**
 * Whether elements differ by no more than the tolerance; lengths that differ are wrong, and so is whatever is not finite, in the
 * tolerance too. Names the worst element.
 */
export function differsBy(got: ArrayLike<number>, want: ArrayLike<number>, tolerance: Tolerance): string | undefined {
  const { absolute, relative = 0, reason } = tolerance;
  if (got.length !== want.length) return `expected ${want.length} elements, got ${got.length}`;
  let worst = 0;
  let message: string | undefined;
  for (let i = 0; i < want.length; i++) {
    const allowed = (typeof absolute === 'number' ? absolute : absolute[i]!) + relative * Math.abs(want[i]!);
    const error = Math.abs(got[i]! - want[i]!);
    if (error <= allowed && Number.isFinite(allowed)) continue;
    const ratio = error / allowed >= 1 ? error / allowed : Infinity; // what is not finite is worst
    if (ratio > worst) {
      worst = ratio;
      message = `at ${i} got ${got[i]}, want ${want[i]}: off by ${error}, ${ratio} x the ${allowed} allowed (${reason})`;
    }
  }
  return message;
}

/** Whether elements are the same, bit for bit. */
export function differs(got: ArrayLike<number>, want: ArrayLike<number>): string | undefined {
  if (got.length !== want.length) return `expected ${want.length} elements, got ${got.length}`;
  for (let i = 0; i < want.length; i++) {
    if (!Object.is(got[i], want[i])) return `at ${i} got ${got[i]}, want ${want[i]}`;
  }
  return undefined;
}
