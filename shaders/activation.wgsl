// Activation functions and their derivatives at the pre-activation a, by the numbers that src/core/activations.ts gives them: the
// build compares numbers and names.
// The arguments of exp and tanh are clamped. Beyond the clamp the result equals the limit to f32 precision, and some
// drivers overflow to NaN.

fn tanh_safe(a: f32) -> f32 {
  return tanh(clamp(a, -15.0, 15.0));
}

fn sigmoid(a: f32) -> f32 {
  return 1.0 / (1.0 + exp(clamp(-a, -80.0, 80.0)));
}

// The tanh form of gelu (arXiv:1606.08415): 0.5 a (1 + tanh(sqrt(2 / pi) (a + 0.044715 a^3))).
fn gelu_inner(a: f32) -> f32 {
  return 0.7978845608 * (a + 0.044715 * a * a * a);
}

// (-1)^n sin(r), where a = (n + shift) pi + r and |r| <= pi / 2: sin(a) for shift 0, -cos(a) for shift 0.5. WGSL's own cos may be
// off by 2^-11; this is off by 2e-7 at most for |a| <= 8192 (pi in three parts, as in Cephes' sinf, then a polynomial). Where a
// compiler reassociates the three differences, by |a| 2^-23 more. Past 8192 r grows inexact, and the clamp keeps |sin| <= 1.
fn half_turns(a: f32, shift: f32) -> f32 {
  let n = round(a * 0.31830989 - shift);
  let q = n + shift;
  let r = clamp(a - q * 3.140625 - q * 9.67502594e-4 - q * 1.509957991e-7, -1.6, 1.6);
  let s = r * r;
  let p = (((-2.50521084e-8 * s + 2.75573192e-6) * s - 1.98412698e-4) * s + 8.3333333e-3) * s - 0.166666667;
  return (r + r * s * p) * (1.0 - 2.0 * (n - 2.0 * floor(0.5 * n)));
}

fn activate(kind: u32, a: f32) -> f32 {
  switch (kind) {
    case 1u: { // relu
      return max(a, 0.0);
    }
    case 2u: { // leakyRelu
      return select(0.01 * a, a, a > 0.0);
    }
    case 3u: { // sigmoid
      return sigmoid(a);
    }
    case 4u: { // tanh
      return tanh_safe(a);
    }
    case 5u: { // gelu
      return 0.5 * a * (1.0 + tanh_safe(gelu_inner(a)));
    }
    case 6u: { // cos
      return -half_turns(a, 0.5);
    }
    case 7u: { // step
      return select(0.0, 1.0, a > 0.0);
    }
    case 8u: { // elu
      return select(exp(clamp(a, -80.0, 0.0)) - 1.0, a, a > 0.0);
    }
    case 9u: { // silu
      // Below -80 the limit 0; unclamped, a huge a would outgrow the smallest sigmoid.
      return max(a, -80.0) * sigmoid(a);
    }
    default: { // identity
      return a;
    }
  }
}

fn activate_gradient(kind: u32, a: f32) -> f32 {
  switch (kind) {
    case 1u: { // relu
      return select(0.0, 1.0, a > 0.0);
    }
    case 2u: { // leakyRelu
      return select(0.01, 1.0, a > 0.0);
    }
    case 3u: { // sigmoid
      let s = sigmoid(a);
      return s * (1.0 - s);
    }
    case 4u: { // tanh
      let t = tanh_safe(a);
      return 1.0 - t * t;
    }
    case 5u: { // gelu
      let t = tanh_safe(gelu_inner(a));
      // Past |a| = 10 the second term is 0 to f32 precision; unclamped, its square could overflow.
      let c = clamp(a, -10.0, 10.0);
      return 0.5 * (1.0 + t) + 0.5 * c * (1.0 - t * t) * 0.7978845608 * (1.0 + 0.134145 * c * c);
    }
    case 6u: { // cos
      return -half_turns(a, 0.0);
    }
    case 7u: { // step
      return 0.0;
    }
    case 8u: { // elu
      return exp(clamp(a, -80.0, 0.0));
    }
    case 9u: { // silu
      let s = sigmoid(a);
      return s * (1.0 + max(a, -80.0) * (1.0 - s));
    }
    default: { // identity
      return 1.0;
    }
  }
}
