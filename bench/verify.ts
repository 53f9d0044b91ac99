/** Whether a result is right: what is not finite, or too far off, or of another length, is not. */
export interface Tolerance {
  /** Largest |got - want| that passes; added to `relative` x |want|. */
  readonly absolute: number;
  readonly relative: number;
  /** Why this much. */
  readonly reason: string;
}

/** What is wrong, or undefined. */
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
    if (error <= worst) continue; // NaN goes on
    worst = Number.isNaN(error) ? Infinity : error;
    message ??= `at ${i} got ${got[i]}, want ${want[i]}: more than the ${allowed} allowed (${reason})`;
    if (worst === Infinity) break;
  }
  return message;
}
