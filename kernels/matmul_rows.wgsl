//! use activation
// c[i, j] = g(sum over k of a[i, k] * b[k, j] + bias[j]) for few rows.
//
// One invocation owns one column of one row. If SLICES is more than 1, that many invocations share a column, each with
// its part of k, and their sums are added in order. With SLICES 1, sums run over k in rising order, as in matmul, and
// there is no barrier. Neighbours read neighbours of b, which is read once. Grid: (ceil(N / 32), M, 1).

struct Params {
  m: u32,
  k: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes of a (M, K) and b (K, N)
@group(0) @binding(1) var<storage, read> a: array<f32>; // a: (M, K) row-major f32
@group(0) @binding(2) var<storage, read> b: array<f32>; // b: (K, N) row-major f32
@group(0) @binding(3) var<storage, read> bias: array<f32>; // bias: (N) f32, read when EPILOGUE is 1
@group(0) @binding(4) var<storage, read_write> c: array<f32>; // c: (M, N) row-major f32

override EPILOGUE: u32 = 0u; // 0: c = product; 1: c = g(product + bias)
override ACTIVATION: u32 = 0u;
override SLICES: u32 = 8u; // 1 ... 8

const LANES = 32u;

var<workgroup> partial_sums: array<f32, 256>;

@compute @workgroup_size(32, SLICES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) local_index: u32,
) {
  let n = params.n;
  let j = group.x * LANES + local.x;
  let at = group.y * params.k;
  let column = min(j, n - 1u);
  let slice = (params.k + SLICES - 1u) / SLICES;
  let first = min(local.y * slice, params.k);
  let end = min(first + slice, params.k);
  let whole = first + ((end - first) & ~3u); // by four: on software adapters an iteration costs as much as a read
  var at_b = first * n + column;
  var sum = 0.0;
  for (var k = first; k < whole; k += 4u) {
    sum += a[at + k] * b[at_b];
    sum += a[at + k + 1u] * b[at_b + n];
    sum += a[at + k + 2u] * b[at_b + 2u * n];
    sum += a[at + k + 3u] * b[at_b + 3u * n];
    at_b += 4u * n;
  }
  for (var k = whole; k < end; k++) {
    sum += a[at + k] * b[at_b];
    at_b += n;
  }
  if (SLICES > 1u) {
    partial_sums[local_index] = sum;
    workgroupBarrier();
    if (local.y > 0u) {
      return;
    }
    for (var i = 1u; i < SLICES; i++) {
      sum += partial_sums[i * LANES + local.x];
    }
  }
  if (j >= n) {
    return;
  }
  if (EPILOGUE == 1u) {
    sum = activate(ACTIVATION, sum + bias[j]);
  }
  c[group.y * n + j] = sum;
}
