/**
 * y = g(u * z + b) and its gradients: (m, n) row-major, u and b over the columns. A null pointer `u` means 1. Every
 * array has room for a whole vector after its last element; values there are computed but never read.
 */
import { activate, activateGradient } from './activation';

// @ts-ignore: decorator
@inline
function preactivation(z: usize, u: usize, b: usize, c: usize): v128 {
  const v = v128.load(z + c);
  return f32x4.add(u ? f32x4.mul(v128.load(u + c), v) : v, v128.load(b + c));
}

/** y may be z: each row is read before it is written, its last vector before the first one of the next row. */
export function epilogue(z: usize, u: usize, b: usize, code: i32, m: i32, n: i32, y: usize): void {
  const row = <usize>n << 2;
  const whole = row & ~15;
  for (let i = 0; i < m; i++, z += row, y += row) {
    for (let c: usize = 0; c < whole; c += 16) v128.store(y + c, activate(code, preactivation(z, u, b, c)));
    if (whole < row) storeRest(y + whole, activate(code, preactivation(z, u, b, whole)), row - whole);
  }
}

/** Stores the first `bytes` (4, 8 or 12) of a vector. */
// @ts-ignore: decorator
@inline
function storeRest(to: usize, v: v128, bytes: usize): void {
  store<f32>(to, f32x4.extract_lane(v, 0));
  if (bytes > 4) store<f32>(to, f32x4.extract_lane(v, 1), 4);
  if (bytes > 8) store<f32>(to, f32x4.extract_lane(v, 2), 8);
}

/** dz = dy g'(u z + b) u. */
export function epilogueInputGradient(
  z: usize,
  u: usize,
  b: usize,
  code: i32,
  m: i32,
  n: i32,
  dy: usize,
  dz: usize,
): void {
  const row = <usize>n << 2;
  for (let i = 0; i < m; i++, z += row, dy += row, dz += row) {
    for (let c: usize = 0; c < row; c += 16) {
      let d = f32x4.mul(v128.load(dy + c), activateGradient(code, preactivation(z, u, b, c)));
      if (u) d = f32x4.mul(d, v128.load(u + c));
      if (c + 16 <= row) v128.store(dz + c, d);
      else storeRest(dz + c, d, row - c);
    }
  }
}

/** du = sum over the rows of dy g'(u z + b) z; db is the same without z. If `du` is 0, only db is computed. */
export function epilogueParameterGradient(
  z: usize,
  u: usize,
  b: usize,
  code: i32,
  m: i32,
  n: i32,
  dy: usize,
  du: usize,
  db: usize,
): void {
  const row = <usize>n << 2;
  for (let c: usize = 0; c < row; c += 16) {
    let bias = f32x4.splat(0);
    let scale = f32x4.splat(0);
    let p = z;
    let q = dy;
    for (let i = 0; i < m; i++, p += row, q += row) {
      const d = f32x4.mul(v128.load(q + c), activateGradient(code, preactivation(p, u, b, c)));
      bias = f32x4.add(bias, d);
      scale = f32x4.add(scale, f32x4.mul(d, v128.load(p + c)));
    }
    if (c + 16 <= row) {
      v128.store(db + c, bias);
      if (du) v128.store(du + c, scale);
    } else {
      storeRest(db + c, bias, row - c);
      if (du) storeRest(du + c, scale, row - c);
    }
  }
}
