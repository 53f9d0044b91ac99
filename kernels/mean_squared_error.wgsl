// loss[m] = (mean over n of (y[m, n] - targets[m, n])^2, 0),  dy[m, n] = 2 (y[m, n] - targets[m, n]) / (M N).
// One invocation per row. Sums run over n in rising order, in f32.
// Grid: (ceil(M / 64), 1, 1).
// No product: memory-bound.

struct Params {
  m: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes
@group(0) @binding(1) var<storage, read> y: array<f32>; // y: (M, N) row-major f32
@group(0) @binding(2) var<storage, read> targets: array<f32>; // targets: (M, N) row-major f32
@group(0) @binding(3) var<storage, read_write> loss: array<f32>; // loss: (M, 2) row-major f32
@group(0) @binding(4) var<storage, read_write> dy: array<f32>; // dy: (M, N) row-major f32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x;
  if (m >= params.m) {
    return;
  }
  let start = m * params.n;
  let factor = 2.0 / (f32(params.m) * f32(params.n));
  var sum = 0.0;
  for (var n = 0u; n < params.n; n++) {
    let d = y[start + n] - targets[start + n];
    sum += d * d;
    dy[start + n] = factor * d;
  }
  loss[2u * m] = sum / f32(params.n);
  loss[2u * m + 1u] = 0.0;
}
