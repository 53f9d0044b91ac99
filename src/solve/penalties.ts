/** The choice of a penalty: from the middle of the list, in the direction in which the error falls, to its minimum. */

interface Tried {
  readonly error: number;
}

/**
 * `evaluate` of the penalty with the least error, of penalties in rising order. Tries as few as a function with one
 * minimum needs; `from` is the first one tried, default the middle.
 */
export async function climb<T extends Tried>(
  penalties: readonly number[],
  evaluate: (penalty: number) => Promise<T>,
  from = penalties.length >> 1,
): Promise<T> {
  let best = await evaluate(penalties[from]!);
  for (const step of [1, -1]) {
    let moved = false;
    for (let i = from + step; i >= 0 && i < penalties.length; i += step) {
      const next = await evaluate(penalties[i]!);
      if (!(next.error < best.error)) break;
      best = next;
      moved = true;
    }
    if (moved) break;
  }
  return best;
}
