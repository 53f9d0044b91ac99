//! use activation
// y[m, n] = g(u[n] * sum over k of w[n, k] * x[m, k] + b[n]), with the weights w read from memory: the baseline for
// regenerating them.
//
// For several rows: the register tile of kernels/random_matmul, 8 rows x 4 units, with a load instead of each hash. K
// is a multiple of 4. Sums run over k in rising order, in f32. Grid: (ceil(N / 128), ceil(M / 8), 1).

struct Params {
  m: u32,
  k: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read> words: array<u32>; // words: (ceil(K * BITS / 32), N), first input lowest
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

override BITS: u32 = 32u; // 32: f32; 16: f16; 8: int8; 1: a set bit is -1, a clear one 1
override ACTIVATION: u32 = 0u;

// Four inputs from index `at` on.
fn inputs_at(at: u32) -> vec4f {
  return vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
}

// Weights of inputs k ... k + 3 of a unit. If BITS is 1, `word` holds its signs. Words of successive k lie `stride`
// apart.
fn weights_at(k: u32, unit: u32, stride: u32, word: u32) -> vec4f {
  if (BITS == 1u) {
    let signs = (vec4u(word >> (k % 32u)) << vec4u(31u, 30u, 29u, 28u)) & vec4u(0x80000000u);
    return bitcast<vec4f>(signs | vec4u(0x3f800000u));
  }
  if (BITS == 8u) {
    let bytes = vec4i(bitcast<i32>(words[(k / 4u) * stride + unit]));
    return vec4f((bytes << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
  }
  if (BITS == 16u) {
    let at = (k / 2u) * stride + unit;
    return vec4f(unpack2x16float(words[at]), unpack2x16float(words[at + stride]));
  }
  let at = k * stride + unit;
  return bitcast<vec4f>(vec4u(words[at], words[at + stride], words[at + 2u * stride], words[at + 3u * stride]));
}

fn store(row: u32, n: u32, sum: vec4f) {
  if (row >= params.m) {
    return;
  }
  for (var i = 0u; i < min(4u, params.n - n); i++) {
    y[row * params.n + n + i] = activate(ACTIVATION, u[n + i] * sum[i] + b[n + i]);
  }
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x * 4u;
  let row = id.y * 8u;
  if (n >= params.n) {
    return;
  }
  let units = params.n; // read once: a software adapter would read it again in every iteration
  let last_unit = units - 1u;
  let last_row = params.m - 1u;
  let n1 = min(n + 1u, last_unit);
  let n2 = min(n + 2u, last_unit);
  let n3 = min(n + 3u, last_unit);
  let at0 = min(row + 0u, last_row) * params.k;
  let at1 = min(row + 1u, last_row) * params.k;
  let at2 = min(row + 2u, last_row) * params.k;
  let at3 = min(row + 3u, last_row) * params.k;
  let at4 = min(row + 4u, last_row) * params.k;
  let at5 = min(row + 5u, last_row) * params.k;
  let at6 = min(row + 6u, last_row) * params.k;
  let at7 = min(row + 7u, last_row) * params.k;
  var word0 = 0u;
  var word1 = 0u;
  var word2 = 0u;
  var word3 = 0u;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  let end = params.k;
  for (var k = 0u; k < end; k += 4u) {
    if (BITS == 1u && k % 32u == 0u) {
      let at = (k / 32u) * units;
      word0 = words[at + n];
      word1 = words[at + n1];
      word2 = words[at + n2];
      word3 = words[at + n3];
    }
    let w0 = weights_at(k, n, units, word0);
    let w1 = weights_at(k, n1, units, word1);
    let w2 = weights_at(k, n2, units, word2);
    let w3 = weights_at(k, n3, units, word3);
    let c0 = vec4f(w0.x, w1.x, w2.x, w3.x);
    let c1 = vec4f(w0.y, w1.y, w2.y, w3.y);
    let c2 = vec4f(w0.z, w1.z, w2.z, w3.z);
    let c3 = vec4f(w0.w, w1.w, w2.w, w3.w);
    let v0 = inputs_at(at0 + k);
    sum0 += v0.x * c0;
    sum0 += v0.y * c1;
    sum0 += v0.z * c2;
    sum0 += v0.w * c3;
    let v1 = inputs_at(at1 + k);
    sum1 += v1.x * c0;
    sum1 += v1.y * c1;
    sum1 += v1.z * c2;
    sum1 += v1.w * c3;
    let v2 = inputs_at(at2 + k);
    sum2 += v2.x * c0;
    sum2 += v2.y * c1;
    sum2 += v2.z * c2;
    sum2 += v2.w * c3;
    let v3 = inputs_at(at3 + k);
    sum3 += v3.x * c0;
    sum3 += v3.y * c1;
    sum3 += v3.z * c2;
    sum3 += v3.w * c3;
    let v4 = inputs_at(at4 + k);
    sum4 += v4.x * c0;
    sum4 += v4.y * c1;
    sum4 += v4.z * c2;
    sum4 += v4.w * c3;
    let v5 = inputs_at(at5 + k);
    sum5 += v5.x * c0;
    sum5 += v5.y * c1;
    sum5 += v5.z * c2;
    sum5 += v5.w * c3;
    let v6 = inputs_at(at6 + k);
    sum6 += v6.x * c0;
    sum6 += v6.y * c1;
    sum6 += v6.z * c2;
    sum6 += v6.w * c3;
    let v7 = inputs_at(at7 + k);
    sum7 += v7.x * c0;
    sum7 += v7.y * c1;
    sum7 += v7.z * c2;
    sum7 += v7.w * c3;
  }
  store(row + 0u, n, sum0);
  store(row + 1u, n, sum1);
  store(row + 2u, n, sum2);
  store(row + 3u, n, sum3);
  store(row + 4u, n, sum4);
  store(row + 5u, n, sum5);
  store(row + 6u, n, sum6);
  store(row + 7u, n, sum7);
}
