//! use activation
// y[m, n] = g(u[n] * sum over k of w[n, k] * x[m, k] + b[n]), with the weights w read from memory: the baseline for
// regenerating them.
//
// For one to three rows, like kernels/random_matmul_rows: one invocation owns one unit of one row; neighbours read
// neighbouring words. K is a multiple of 4.
// Grid: (ceil(N / 64), M, 1).

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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x;
  let row = id.y;
  if (n >= params.n) {
    return;
  }
  let units = params.n; // read once: a software adapter would read it again in every iteration
  let end = params.k;
  let at = row * end;
  var word = 0u;
  var sum = 0.0;
  for (var k = 0u; k < end; k += 4u) {
    if (BITS == 1u && k % 32u == 0u) {
      word = words[(k / 32u) * units + n];
    }
    let w = weights_at(k, n, units, word);
    sum += x[at + k] * w.x;
    sum += x[at + k + 1u] * w.y;
    sum += x[at + k + 2u] * w.z;
    sum += x[at + k + 3u] * w.w;
  }
  y[row * units + n] = activate(ACTIVATION, u[n] * sum + b[n]);
}
