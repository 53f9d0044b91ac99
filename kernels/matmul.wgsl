//! use activation
// c[i, j] = g(sum over k of op(a)[i, k] * op(b)[k, j] + bias[j]); op transposes where its override is set.
//
// One invocation owns 4 rows x 4 columns of sums in registers. Its columns lie 4 apart, so neighbours read neighbours.
// No workgroup memory, no barrier. Sums run over k in rising order.
// Grid: (ceil(N / 16), ceil(M / 64), 1), so that few columns (the classes of a last layer) still fill the lanes.
//
// Compiled by Mesa for RDNA2 (NAVI21): no spills, 40 VGPRs, 1.5 VALU cycles and 0.5 memory reads per
// multiply-accumulate.

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

fn store_one(i: u32, j: u32, sum: f32) {
  if (i < params.m && j < params.n) {
    var value = sum;
    if (EPILOGUE == 1u) {
      value = activate(ACTIVATION, value + bias[j]);
    }
    c[i * params.n + j] = value;
  }
}

fn store(i: u32, j: u32, sum: vec4f) {
  store_one(i, j, sum.x);
  store_one(i, j + 4u, sum.y);
  store_one(i, j + 8u, sum.z);
  store_one(i, j + 12u, sum.w);
}

@compute @workgroup_size(4, 16)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let i = id.y * 4u;
  let j = group.x * 16u + local.x;
  // Invocations past the edge compute on clamped indices and store nothing. Switching lanes off would make a software
  // adapter read word by word.
  let last_i = params.m - 1u;
  let last_j = params.n - 1u;
  // Offset of the first element of a row of op(a) or a column of op(b), and the step to the next k. The uniform is read
  // once here: a software adapter would read it again in every iteration.
  let step_a = select(1u, params.m, TRANSPOSE_A);
  let step_b = select(params.n, 1u, TRANSPOSE_B);
  let row = select(params.k, 1u, TRANSPOSE_A);
  let column = select(1u, params.k, TRANSPOSE_B);
  let end = params.k;
  let a0 = min(i, last_i) * row;
  let a1 = min(i + 1u, last_i) * row;
  let a2 = min(i + 2u, last_i) * row;
  let a3 = min(i + 3u, last_i) * row;
  let b0 = min(j, last_j) * column;
  let b1 = min(j + 4u, last_j) * column;
  let b2 = min(j + 8u, last_j) * column;
  let b3 = min(j + 12u, last_j) * column;
  var at_a = 0u;
  var at_b = 0u;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var k = 0u; k < end; k++) {
    let v = vec4f(b[b0 + at_b], b[b1 + at_b], b[b2 + at_b], b[b3 + at_b]);
    sum0 += a[a0 + at_a] * v;
    sum1 += a[a1 + at_a] * v;
    sum2 += a[a2 + at_a] * v;
    sum3 += a[a3 + at_a] * v;
    at_a += step_a;
    at_b += step_b;
  }
  store(i, j, sum0);
  store(i + 1u, j, sum1);
  store(i + 2u, j, sum2);
  store(i + 3u, j, sum3);
}
