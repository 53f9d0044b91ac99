/** Compares results of kernels and twins. Returns a message about the difference, or undefined. */

export interface Tolerance {
  /** Largest |got - want| allowed, overall or per element, in addition to `relative` x |want|. */
  readonly absolute: number | ArrayLike<number>;
  readonly relative?: number;
  /** The reason for these tolerances. */
  readonly reason: string;
}

/**
 * Compares elements within the tolerance. Different lengths are wrong, and so are numbers that are not finite, in the
 * tolerance too. The message names the worst element.
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
    const ratio = error / allowed >= 1 ? error / allowed : Infinity; // not finite ranks as the worst
    if (ratio > worst) {
      worst = ratio;
      message = `at ${i} got ${got[i]}, want ${want[i]}: off by ${error}, ${ratio} x the ${allowed} allowed (${reason})`;
    }
  }
  return message;
}

/** Compares elements bit for bit. */
export function differs(got: ArrayLike<number>, want: ArrayLike<number>): string | undefined {
  if (got.length !== want.length) return `expected ${want.length} elements, got ${got.length}`;
  for (let i = 0; i < want.length; i++) {
    if (!Object.is(got[i], want[i])) return `at ${i} got ${got[i]}, want ${want[i]}`;
  }
  return undefined;
}
