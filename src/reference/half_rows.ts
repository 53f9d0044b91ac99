/**
 * Divides each row of x (m, k) by the power of two above its largest magnitude; also returns these scales (m). The
 * result is not rounded: f16 is within 2^-12 of it.
 */
export function halfRows({ m, k, x }: { m: number; k: number; x: ArrayLike<number> }): {
  h: Float64Array;
  scales: Float64Array;
} {
  const scales = Float64Array.from({ length: m }, (_, row) => {
    let largest = 0;
    for (let i = 0; i < k; i++) largest = Math.max(largest, Math.abs(x[row * k + i]!));
    if (largest < 2 ** -101) return 0;
    let scale = 2 ** -100;
    while (scale <= largest) scale *= 2;
    return scale;
  });
  const h = Float64Array.from({ length: m * k }, (_, i) => {
    const scale = scales[Math.floor(i / k)]!;
    return scale ? x[i]! / scale : 0;
  });
  return { h, scales };
}
