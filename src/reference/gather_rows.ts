/** out[r, :] = rows[indices[start + r], :], over all pieces of a data set at once. */
export function gatherRows(args: {
  rows: number;
  columns: number;
  start: number;
  indices: ArrayLike<number>;
  source: ArrayLike<number>;
}): Float64Array {
  const { rows, columns, start, indices, source } = args;
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < out.length; i++) {
    const row = indices[start + Math.floor(i / columns)]!;
    out[i] = source[row * columns + (i % columns)]!;
  }
  return out;
}
