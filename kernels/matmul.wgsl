//! use activation
// c[i, j] = g(sum over k of op(a)[i, k] * op(b)[k, j] + bias[j]); op transposes where its override is set.
//
// One invocation owns a 4 x 4 block of sums in registers; no workgroup memory, no barrier. Sums run over k in rising order.
// Grid: (ceil(N / 16), ceil(M / 64), 1): few columns (the classes of a last layer) still fill the lanes.

struct Params {
  m: u32,
  k: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes of op(a) (M, K) and op(b) (K, N)
@group(0) @binding(1) var<storage, read> a: array<f32>; // a: (M, K) row-major f32; (K, M) where TRANSPOSE_A
@group(0) @binding(2) var<storage, read> b: array<f32>; // b: (K, N) row-major f32; (N, K) where TRANSPOSE_B
@group(0) @binding(3) var<storage, read> bias: array<f32>; // bias: (N) f32, read when EPILOGUE is 1
@group(0) @binding(4) var<storage, read_write> c: array<f32>; // c: (M, N) row-major f32

override TRANSPOSE_A: bool = false;
override TRANSPOSE_B: bool = false;
override EPILOGUE: u32 = 0u; // 0: c = product; 1: c = g(product + bias)
override ACTIVATION: u32 = 0u;

fn a_at(i: u32, k: u32) -> f32 {
  return a[select(i * params.k + k, k * params.m + i, TRANSPOSE_A)];
}

fn b_at(k: u32, j: u32) -> f32 {
  return b[select(k * params.n + j, j * params.k + k, TRANSPOSE_B)];
}

fn store(i: u32, j: u32, sum: vec4f) {
  if (i >= params.m || j >= params.n) {
    return;
  }
  for (var d = 0u; d < min(4u, params.n - j); d++) {
    var value = sum[d];
    if (EPILOGUE == 1u) {
      value = activate(ACTIVATION, value + bias[j + d]);
    }
    c[i * params.n + j + d] = value;
  }
}

@compute @workgroup_size(4, 16)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * 4u;
  let j = id.x * 4u;
  // Invocations past the edge compute on clamped indices and store nothing: a software adapter reads word by word where
  // lanes are switched off.
  let last_i = params.m - 1u;
  let last_j = params.n - 1u;
  let i0 = min(i, last_i);
  let j0 = min(j, last_j);
  let i1 = min(i + 1u, last_i);
  let i2 = min(i + 2u, last_i);
  let i3 = min(i + 3u, last_i);
  let j1 = min(j + 1u, last_j);
  let j2 = min(j + 2u, last_j);
  let j3 = min(j + 3u, last_j);
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var k = 0u; k < params.k; k++) {
    let v = vec4f(b_at(k, j0), b_at(k, j1), b_at(k, j2), b_at(k, j3));
    sum0 += a_at(i0, k) * v;
    sum1 += a_at(i1, k) * v;
    sum2 += a_at(i2, k) * v;
    sum3 += a_at(i3, k) * v;
  }
  store(i, j, sum0);
  store(i + 1u, j, sum1);
  store(i + 2u, j, sum2);
  store(i + 3u, j, sum3);
}
