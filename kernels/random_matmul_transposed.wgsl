//! use stream weights
// dx[m, k] = scale * sum over n of w[n, k] * dz[m, n]: the transposed product, the same integer weights w regenerated.
//
// One invocation owns 8 rows x one quad of inputs; all of them walk the units together, so a unit's key is one uniform read.
// Sums run over n in rising order, in f32.
// Grid: (ceil(K / 128), ceil(M / 8), 1).
//
// Compiled by Mesa for RDNA2 (NAVI21), no spills: 40 VGPRs; VALU cycles per multiply-accumulate: normal 1.69 and 0.125 LDS
// reads, binary 1.88: each unit is another hash, so a word of 32 signs serves one quad.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the integer weights
@group(0) @binding(1) var<storage, read> dz: array<f32>; // dz: (M, N) row-major f32
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 a unit
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // dx: (M, K) row-major f32

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;

fn store(row: u32, k: u32, sum: vec4f) {
  if (row >= params.m) {
    return;
  }
  for (var i = 0u; i < min(4u, params.k - k); i++) {
    dx[row * params.k + k + i] = params.scale * sum[i];
  }
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local_index: u32) {
  weights_prepare(local_index, 32u);
  let k = id.x * 4u;
  let row = id.y * 8u;
  if (k >= params.k) {
    return;
  }
  let index = k / WEIGHTS_PER_WORD;
  let quad = (k / 4u) % QUADS_PER_WORD;
  let last_row = params.m - 1u;
  let at0 = min(row + 0u, last_row) * params.n;
  let at1 = min(row + 1u, last_row) * params.n;
  let at2 = min(row + 2u, last_row) * params.n;
  let at3 = min(row + 3u, last_row) * params.n;
  let at4 = min(row + 4u, last_row) * params.n;
  let at5 = min(row + 5u, last_row) * params.n;
  let at6 = min(row + 6u, last_row) * params.n;
  let at7 = min(row + 7u, last_row) * params.n;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  let units = params.n; // read once: a software adapter would read it again in each turn of the loop
  for (var n = 0u; n < units; n++) {
    let w = weights_quad(stream_word(stream_key(keys[n]), index), quad);
    sum0 += dz[at0 + n] * w;
    sum1 += dz[at1 + n] * w;
    sum2 += dz[at2 + n] * w;
    sum3 += dz[at3 + n] * w;
    sum4 += dz[at4 + n] * w;
    sum5 += dz[at5 + n] * w;
    sum6 += dz[at6 + n] * w;
    sum7 += dz[at7 + n] * w;
  }
  store(row + 0u, k, sum0);
  store(row + 1u, k, sum1);
  store(row + 2u, k, sum2);
  store(row + 3u, k, sum3);
  store(row + 4u, k, sum4);
  store(row + 5u, k, sum5);
  store(row + 6u, k, sum6);
  store(row + 7u, k, sum7);
}
