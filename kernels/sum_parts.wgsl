//! use activation
//! include epilogue
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = sum over p of parts[p, m, n], in the order of the parts: the end of a
// product whose inputs were split (random_matmul_split, random_matmul_wide). One invocation per element.
// Grid: (ceil(M * N / 64), 1, 1), folded into two dimensions if that exceeds the limit (linearGrid).
// No product: memory-bound.

struct Params {
  count: u32,
  n: u32,
  parts: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: M * N, N, P
@group(0) @binding(1) var<storage, read> sums: array<f32>; // sums: (P, M, N) f32
@group(0) @binding(2) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(3) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let i = id.x + id.y * grid.x * 64u;
  if (i >= params.count) {
    return;
  }
  var sum = sums[i];
  for (var part = 1u; part < params.parts; part++) {
    sum += sums[i + part * params.count];
  }
  let out = finish(i % params.n, sum);
  y[i] = out;
}
