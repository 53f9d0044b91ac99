// The end of a product: from z of a unit to y = g(u * z + b), or less of it. The kernel binds u and b, and uses `activation`.

override EPILOGUE: u32 = 0u; // 0: y = z; 1: y = g(z + b); 2: y = g(u * z + b)
override ACTIVATION: u32 = 0u; // by its number in src/core/activations.ts

fn finish(unit: u32, z: f32) -> f32 {
  var out = z;
  if (EPILOGUE == 1u) {
    out = activate(ACTIVATION, out + b[unit]);
  }
  if (EPILOGUE == 2u) {
    out = activate(ACTIVATION, u[unit] * out + b[unit]);
  }
  return out;
}
