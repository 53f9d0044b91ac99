//! use stream weights activation
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], the integer weights w regenerated.
//
// For several rows. One invocation owns 8 rows x 4 units in registers: a weight is made once and used for 8 rows. No workgroup
// memory but the table of `normal`, and no barrier inside the loop: barriers are ruinous on software adapters.
// Sums run over k in rising order, in f32, whatever the shape, so the result of a row does not depend on M.
// Grid: (ceil(N / 128), ceil(M / 8), 1).
//
// Compiled by Mesa for RDNA2 (NAVI21), no spills: 64 VGPRs; VALU cycles per multiply-accumulate, counted in one turn of the
// loop: normal 1.59 and 0.125 LDS reads; binary 1.75, its hashes counted in each turn although they run in one of eight.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the integer weights
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 a unit
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

override EPILOGUE: u32 = 0u; // 0: y = z; 1: y = g(z + b); 2: y = g(u * z + b)
override ACTIVATION: u32 = 0u;

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;

// Four inputs from index `at` on.
fn inputs_at(at: u32) -> vec4f {
  return vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
}

fn finish(unit: u32, sum: f32) -> f32 {
  let z = sum * params.scale;
  if (EPILOGUE == 0u) {
    return z;
  }
  if (EPILOGUE == 1u) {
    return activate(ACTIVATION, z + b[unit]);
  }
  return activate(ACTIVATION, u[unit] * z + b[unit]);
}

fn store(row: u32, n: u32, sum: vec4f) {
  if (row >= params.m) {
    return;
  }
  for (var i = 0u; i < min(4u, params.n - n); i++) {
    y[row * params.n + n + i] = finish(n + i, sum[i]);
  }
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local_index: u32) {
  weights_prepare(local_index, 32u);
  let n = id.x * 4u;
  let row = id.y * 8u;
  if (n >= params.n) {
    return;
  }
  let last_unit = params.n - 1u;
  let last_row = params.m - 1u;
  let key0 = keys[n];
  let key1 = keys[min(n + 1u, last_unit)];
  let key2 = keys[min(n + 2u, last_unit)];
  let key3 = keys[min(n + 3u, last_unit)];
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
  let fan_in = params.k;
  let whole = fan_in & ~3u; // the loop has no branch at the end of a row: the last one to three inputs come after it
  for (var k = 0u; k < whole; k += 4u) {
    let quad = (k / 4u) % QUADS_PER_WORD;
    if (quad == 0u) {
      let index = k / WEIGHTS_PER_WORD;
      word0 = stream_word(key0, index);
      word1 = stream_word(key1, index);
      word2 = stream_word(key2, index);
      word3 = stream_word(key3, index);
    }
    let w0 = weights_quad(word0, quad);
    let w1 = weights_quad(word1, quad);
    let w2 = weights_quad(word2, quad);
    let w3 = weights_quad(word3, quad);
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
  for (var k = whole; k < fan_in; k++) {
    let quad = (k / 4u) % QUADS_PER_WORD;
    let index = k / WEIGHTS_PER_WORD;
    let i = k % 4u;
    let c = vec4f(
      weights_quad(stream_word(key0, index), quad)[i],
      weights_quad(stream_word(key1, index), quad)[i],
      weights_quad(stream_word(key2, index), quad)[i],
      weights_quad(stream_word(key3, index), quad)[i],
    );
    sum0 += x[at0 + k] * c;
    sum1 += x[at1 + k] * c;
    sum2 += x[at2 + k] * c;
    sum3 += x[at3 + k] * c;
    sum4 += x[at4 + k] * c;
    sum5 += x[at5 + k] * c;
    sum6 += x[at6 + k] * c;
    sum7 += x[at7 + k] * c;
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
