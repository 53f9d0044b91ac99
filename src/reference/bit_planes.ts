/**
 * planes (m, 8 * ceil(k / 256), 8): bit b of every 32 inputs (bytes, signed or not), input i at bit i, for b = 0 ... 7.
 * totals (m): the sum of each row.
 */
export function bitPlanes({ m, k, x }: { m: number; k: number; x: Int8Array | Uint8Array }): {
  planes: Uint32Array;
  totals: Int32Array;
} {
  const words = 8 * Math.ceil(k / 256);
  const planes = new Uint32Array(m * words * 8);
  const totals = new Int32Array(m);
  for (let row = 0; row < m; row++) {
    for (let i = 0; i < k; i++) {
      const value = x[row * k + i]!;
      const at = 8 * (row * words + Math.floor(i / 32));
      for (let b = 0; b < 8; b++) planes[at + b]! += ((value >> b) & 1) * 2 ** (i % 32);
      totals[row]! += value;
    }
  }
  return { planes, totals };
}
