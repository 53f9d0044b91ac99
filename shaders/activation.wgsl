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
    default: { // identity
      return 1.0;
    }
  }
}
