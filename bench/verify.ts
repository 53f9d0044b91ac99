/** Verifies a result: its length, that all numbers are finite, and the tolerance. */
export interface Tolerance {
  /** Largest |got - want| allowed, in addition to `relative` x |want|. */
  readonly absolute: number;
  readonly relative: number;
  /** The reason for these tolerances. */
  readonly reason: string;
}

/** A message about the first wrong or the worst number, or undefined if all are right. */
export function difference(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  { absolute, relative, reason }: Tolerance,
): string | undefined {
  if (got.length !== want.length) return `expected ${want.length} numbers, got ${got.length}`;
  let worst = 1;
  let message: string | undefined;
  for (let i = 0; i < want.length; i++) {
    const allowed = absolute + relative * Math.abs(want[i]!);
    const error = Math.abs(got[i]! - want[i]!) / allowed;
    if (error <= worst) continue; // false for NaN
    worst = Number.isNaN(error) ? Infinity : error;
    message ??= `at ${i} got ${got[i]}, want ${want[i]}: more than the ${allowed} allowed (${reason})`;
    if (worst === Infinity) break;
  }
  return message;
}
