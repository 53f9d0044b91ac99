// The pre-activation by EPILOGUE: 0: z; 1: z + b; 2: u * z + b.

fn preactivation(epilogue: u32, z: f32, u: f32, b: f32) -> f32 {
  if (epilogue == 0u) {
    return z;
  }
  if (epilogue == 1u) {
    return z + b;
  }
  return u * z + b;
}
