/**
 * Multiplies a vector in place by a matrix H D2 H D1 H D0 of `orthogonal` (src/weights/SPEC.md, 4.5) or its transpose:
 * fast Walsh-Hadamard transforms with sign flips in between.
 */

/** v *= signs, one bit each; a set bit means minus. */
function flip(v: usize, count: i32, signs: usize): void {
  const sign = i32x4.splat(0x80000000);
  for (const end = v + (<usize>count << 2); v < end; signs += 4) {
    let bits = load<u32>(signs);
    for (let i = 0; i < 8; i++, v += 16, bits >>= 4) {
      const four = v128.and(i32x4.mul(i32x4.splat(bits), i32x4(1 << 31, 1 << 30, 1 << 29, 1 << 28)), sign);
      v128.store(v, v128.xor(v128.load(v), four));
    }
  }
}

/** The first two stages: sums and differences inside a vector. */
// @ts-ignore: decorator
@inline
function four(v: v128): v128 {
  v = f32x4.add(v128.shuffle<f32>(v, v, 1, 0, 3, 2), f32x4.mul(v, f32x4(1, -1, 1, -1)));
  return f32x4.add(v128.shuffle<f32>(v, v, 2, 3, 0, 1), f32x4.mul(v, f32x4(1, 1, -1, -1)));
}

/** In place: H (natural order, entries 1 and -1) times v, `count` a power of two of at least 16. Two stages a pass. */
function transform(v: usize, count: i32): void {
  const end = v + (<usize>count << 2);
  for (let p = v; p < end; p += 64) {
    const a = four(v128.load(p));
    const b = four(v128.load(p, 16));
    const c = four(v128.load(p, 32));
    const d = four(v128.load(p, 48));
    const s = f32x4.add(a, b);
    const t = f32x4.sub(a, b);
    const x = f32x4.add(c, d);
    const y = f32x4.sub(c, d);
    v128.store(p, f32x4.add(s, x));
    v128.store(p, f32x4.add(t, y), 16);
    v128.store(p, f32x4.sub(s, x), 32);
    v128.store(p, f32x4.sub(t, y), 48);
  }
  const bytes = <usize>count << 2;
  let half: usize = 64;
  for (; half << 1 < bytes; half <<= 2) {
    for (let start = v; start < end; start += half << 2) {
      for (let p = start; p < start + half; p += 16) {
        const q = p + half;
        const r = q + half;
        const w = r + half;
        const a = v128.load(p);
        const b = v128.load(q);
        const c = v128.load(r);
        const d = v128.load(w);
        const s = f32x4.add(a, b);
        const t = f32x4.sub(a, b);
        const x = f32x4.add(c, d);
        const y = f32x4.sub(c, d);
        v128.store(p, f32x4.add(s, x));
        v128.store(q, f32x4.add(t, y));
        v128.store(r, f32x4.sub(s, x));
        v128.store(w, f32x4.sub(t, y));
      }
    }
  }
  if (half < bytes) {
    for (let p = v; p < v + half; p += 16) {
      const a = v128.load(p);
      const b = v128.load(p + half);
      v128.store(p, f32x4.add(a, b));
      v128.store(p + half, f32x4.sub(a, b));
    }
  }
}

/** v (p) = H D2 H D1 H D0 v. signs: the three diagonals, p bits each. */
export function orthogonal(v: usize, p: i32, signs: usize): void {
  for (let d = 0; d < 3; d++, signs += p >> 3) {
    flip(v, p, signs);
    transform(v, p);
  }
}

/** v (p) = D0 H D1 H D2 H v. */
export function orthogonalTransposed(v: usize, p: i32, signs: usize): void {
  for (let d = 2; d >= 0; d--) {
    transform(v, p);
    flip(v, p, signs + <usize>(d * (p >> 3)));
  }
}
