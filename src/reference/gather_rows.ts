/** out[r, :] = rows[indices[start + r], :]; the pieces of a data set put together. */
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
