//! use stream activation
//! include epilogue
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], with the weights w of
// `binary` or `codeword` regenerated.
//
// For few rows. Each byte of a unit's words looks up the signed sum of its eight inputs (sign_sums) or, for `codeword`,
// its 16 inputs (code_sums): one read and one addition for as many multiply-accumulates. One invocation owns one unit of one row. If SLICES is more than 1, that
// many invocations share a unit, each with its part of the words, and their sums are added in order.
// Grid: (ceil(N / 32), M, 1).
//
// Tried on SwiftShader: 2 and 4 units per invocation (no faster: there is no input to share); for many rows, sums of
// four inputs with the rows side by side (1.4 to 1.5 times as fast as a matmul with stored weights; random_matmul is as
// good).

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the signs
@group(0) @binding(1) var<storage, read> sums: array<f32>; // sums: (M, G, 256) f32, G = 4 * ceil(K / SIGNS)
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

override SLICES: u32 = 8u; // 1 ... 8

override SIGNS: u32 = 32u; // signs of a word: 32 for `binary`, 64 for `codeword`

const LANES = 32u;

var<workgroup> partial_sums: array<f32, 256>;

@compute @workgroup_size(32, SLICES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) local_index: u32,
) {
  let n = group.x * LANES + local.x;
  let row = group.y;
  let key = stream_key(keys[min(n, params.n - 1u)]);
  let words = (params.k + SIGNS - 1u) / SIGNS;
  let slice = (words + SLICES - 1u) / SLICES;
  let first = min(local.y * slice, words);
  let end = min(first + slice, words);
  var at = (row * words + first) * 1024u;
  var counter = key.x + first * STREAM_STEP;
  var sum = 0.0;
  for (var index = first; index < end; index++) {
    let signs = stream_mix(key, counter);
    counter += STREAM_STEP;
    sum += sums[at + (signs & 0xffu)];
    sum += sums[at + 256u + ((signs >> 8u) & 0xffu)];
    sum += sums[at + 512u + ((signs >> 16u) & 0xffu)];
    sum += sums[at + 768u + (signs >> 24u)];
    at += 1024u;
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
  if (n >= params.n) {
    return;
  }
  let out = finish(n, sum * params.scale);
  y[row * params.n + n] = out;
}
