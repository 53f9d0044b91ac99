/** Integers q (m, k) and scales (m) with x = q * scale to within scale / 2: scale = max |x| / 127, ties to even. */
export function quantiseRows({ m, k, x }: { m: number; k: number; x: ArrayLike<number> }): {
  q: Int8Array;
  scales: Float64Array;
} {
  const q = new Int8Array(m * k);
  const scales = new Float64Array(m);
  for (let row = 0; row < m; row++) {
    let largest = 0;
    for (let i = 0; i < k; i++) largest = Math.max(largest, Math.abs(x[row * k + i]!));
    scales[row] = largest / 127;
    for (let i = 0; i < k; i++) q[row * k + i] = largest ? roundEven(x[row * k + i]! / scales[row]!) : 0;
  }
  return { q, scales };
}

function roundEven(value: number): number {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : rounded;
}
