//! use activation
// db[n] = sum over m of dy[m, n] * g'(z[m, n] + b[n]).
// One invocation per unit. Sums run over m in rising order, in f32.
// A tall matrix (many rows, few units) is treated as a shorter, wider one that repeats the `units` columns. Each wide
// column gets its own sum; sum_blocks then adds the columns of each unit.
// Grid: (ceil(N / 64), 1, 1).
// No product: memory-bound.

struct Params {
  m: u32,
  n: u32,
  units: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shape of the wide matrix; units, number of elements
@group(0) @binding(1) var<storage, read> z: array<f32>; // z: (M, N) row-major f32
@group(0) @binding(2) var<storage, read> b: array<f32>; // b: (N) f32
@group(0) @binding(3) var<storage, read> dy: array<f32>; // dy: (M, N) row-major f32
@group(0) @binding(4) var<storage, read_write> db: array<f32>; // db: (N) f32

override ACTIVATION: u32 = 0u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x;
  if (n >= params.n) {
    return;
  }
  let bias = b[n % params.units];
  var sum = 0.0;
  let rows = params.m;
  let columns = params.n;
  let count = params.count;
  for (var m = 0u; m < rows; m++) {
    let i = m * columns + n;
    if (i >= count) {
      break;
    }
    sum += dy[i] * activate_gradient(ACTIVATION, z[i] + bias);
  }
  db[n] = sum;
}
