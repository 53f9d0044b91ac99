/** Activation functions and their derivatives, four f32 at a time, by the codes of src/core/activations.ts (the build compares them). */
import { exp, sigmoid, tanh } from './exp';

const RELU: i32 = 1;
const LEAKY_RELU: i32 = 2;
const SIGMOID: i32 = 3;
const TANH: i32 = 4;
const GELU: i32 = 5;
const COS: i32 = 6;
const STEP: i32 = 7;
const ELU: i32 = 8;
const SILU: i32 = 9;
const LEAK: f32 = 0.01;
/** sqrt(2 / pi) */
const C: f32 = 0.7978845608;
const CUBIC: f32 = 0.044715;

/** Selects `one` where a > 0, else `other`. */
// @ts-ignore: decorator
@inline
function positive(a: v128, one: v128, other: v128): v128 {
  return v128.bitselect(one, other, f32x4.gt(a, f32x4.splat(0)));
}

function geluTanh(a: v128): v128 {
  const cubic = f32x4.mul(f32x4.splat(CUBIC), f32x4.mul(a, f32x4.mul(a, a)));
  return tanh(f32x4.mul(f32x4.splat(C), f32x4.add(a, cubic)));
}

/**
 * (-1)^n sin(r), where a = (n + shift) pi + r and |r| <= pi / 2: sin(a) for shift 0, -cos(a) for shift 0.5. Off by 2e-7 at most for
 * |a| <= 8192: pi in three parts, as in Cephes' sinf, then a polynomial. Past that r grows inexact, and the clamp keeps |sin| <= 1.
 */
function halfTurns(a: v128, shift: f32): v128 {
  const n = f32x4.nearest(f32x4.sub(f32x4.mul(a, f32x4.splat(0.31830989)), f32x4.splat(shift)));
  const q = f32x4.add(n, f32x4.splat(shift));
  let r = f32x4.sub(a, f32x4.mul(q, f32x4.splat(3.140625)));
  r = f32x4.sub(r, f32x4.mul(q, f32x4.splat(9.67502594e-4)));
  r = f32x4.sub(r, f32x4.mul(q, f32x4.splat(1.509957991e-7)));
  r = f32x4.min(f32x4.max(r, f32x4.splat(-1.6)), f32x4.splat(1.6));
  const s = f32x4.mul(r, r);
  let p = f32x4.splat(-2.50521084e-8);
  p = f32x4.add(f32x4.mul(p, s), f32x4.splat(2.75573192e-6));
  p = f32x4.sub(f32x4.mul(p, s), f32x4.splat(1.98412698e-4));
  p = f32x4.add(f32x4.mul(p, s), f32x4.splat(8.3333333e-3));
  p = f32x4.sub(f32x4.mul(p, s), f32x4.splat(0.166666667));
  const sine = f32x4.add(r, f32x4.mul(f32x4.mul(r, s), p));
  const half = f32x4.mul(n, f32x4.splat(0.5));
  const odd = f32x4.ne(half, f32x4.floor(half));
  return v128.bitselect(f32x4.neg(sine), sine, odd);
}

/** g(a). */
export function activate(code: i32, a: v128): v128 {
  if (code == RELU) return f32x4.max(a, f32x4.splat(0));
  if (code == LEAKY_RELU) return positive(a, a, f32x4.mul(a, f32x4.splat(LEAK)));
  if (code == SIGMOID) return sigmoid(a);
  if (code == TANH) return tanh(a);
  if (code == GELU) {
    return f32x4.mul(f32x4.mul(f32x4.splat(0.5), a), f32x4.add(f32x4.splat(1), geluTanh(a)));
  }
  if (code == COS) return f32x4.neg(halfTurns(a, 0.5));
  if (code == STEP) return positive(a, f32x4.splat(1), f32x4.splat(0));
  if (code == ELU) return positive(a, a, f32x4.sub(exp(a), f32x4.splat(1)));
  // Below -80 the limit 0; unclamped, a huge a would outgrow the smallest sigmoid.
  if (code == SILU) return f32x4.mul(f32x4.max(a, f32x4.splat(-80)), sigmoid(a));
  return a;
}

/** dg/da at a. */
export function activateGradient(code: i32, a: v128): v128 {
  const one = f32x4.splat(1);
  if (code == RELU) return positive(a, one, f32x4.splat(0));
  if (code == LEAKY_RELU) return positive(a, one, f32x4.splat(LEAK));
  if (code == SIGMOID) {
    const s = sigmoid(a);
    return f32x4.mul(s, f32x4.sub(one, s));
  }
  if (code == TANH) {
    const t = tanh(a);
    return f32x4.sub(one, f32x4.mul(t, t));
  }
  if (code == GELU) {
    const t = geluTanh(a);
    // Past |a| = 10 the second term is 0 to f32 precision; unclamped, its square could overflow.
    a = f32x4.min(f32x4.max(a, f32x4.splat(-10)), f32x4.splat(10));
    const slope = f32x4.mul(f32x4.splat(C), f32x4.add(one, f32x4.mul(f32x4.splat(3 * CUBIC), f32x4.mul(a, a))));
    const rise = f32x4.mul(f32x4.mul(a, f32x4.sub(one, f32x4.mul(t, t))), slope);
    return f32x4.mul(f32x4.splat(0.5), f32x4.add(f32x4.add(one, t), rise));
  }
  if (code == COS) return f32x4.neg(halfTurns(a, 0));
  if (code == STEP) return f32x4.splat(0);
  if (code == ELU) return positive(a, one, exp(a));
  if (code == SILU) {
    const s = sigmoid(a);
    const rise = f32x4.mul(f32x4.max(a, f32x4.splat(-80)), f32x4.sub(one, s));
    return f32x4.mul(s, f32x4.add(one, rise));
  }
  return one;
}
