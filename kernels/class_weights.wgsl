// With w = weights[labels[m]]: weightedLoss[m] = (w * loss[m].loss, loss[m].hit),
// weightedGradient[m, n] = w * gradient[m, n].
// One invocation per row. Each number is one product, rounded once: the same bits on every device.
// Grid: (ceil(M / 64), 1, 1).
// No product: memory-bound.

struct Params {
  m: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes
@group(0) @binding(1) var<storage, read> loss: array<f32>; // loss: (M, 2) row-major f32
@group(0) @binding(2) var<storage, read> gradient: array<f32>; // gradient: (M, N) row-major f32
@group(0) @binding(3) var<storage, read> labels: array<u32>; // labels: (M) u32, each below N
@group(0) @binding(4) var<storage, read> weights: array<f32>; // weights: (N) f32
@group(0) @binding(5) var<storage, read_write> weightedLoss: array<f32>; // weightedLoss: (M, 2) row-major f32
@group(0) @binding(6) var<storage, read_write> weightedGradient: array<f32>; // weightedGradient: (M, N) row-major f32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x;
  if (m >= params.m) {
    return;
  }
  let weight = weights[min(labels[m], params.n - 1u)];
  weightedLoss[2u * m] = weight * loss[2u * m];
  weightedLoss[2u * m + 1u] = loss[2u * m + 1u];
  for (var i = m * params.n; i < (m + 1u) * params.n; i++) {
    weightedGradient[i] = weight * gradient[i];
  }
}
