/** Column sums of loss (m, 2). */
export function accumulateLoss({ m, loss }: { m: number; loss: ArrayLike<number> }): [number, number] {
  let [sum, hits] = [0, 0];
  for (let row = 0; row < m; row++) {
    sum += loss[2 * row]!;
    hits += loss[2 * row + 1]!;
  }
  return [sum, hits];
}
