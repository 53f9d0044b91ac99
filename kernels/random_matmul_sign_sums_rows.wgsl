//! use stream activation
//! include epilogue
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], with the weights w of
// `binary` or `codeword` regenerated.
//
// For several rows on software adapters. Each byte of a unit's words looks up the signed sums of its eight inputs (16
// for `codeword`) for four rows at once (sign_sums_rows, code_sums_rows): one read and one addition of a vector for 32
// multiply-accumulates (64). One invocation owns one unit of eight rows, so that a word serves two tables.
// Grid: (ceil(N / 32), ceil(M / 8), 1).
//
// On RDNA2 (NAVI21) a multiply-accumulate takes 0.25 cycles, and half a byte of scattered reads from tables of 128
// bytes per input and row: more than the caches of a GPU deliver in that time, so the GPU table does not choose it.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the signs
@group(0) @binding(1) var<storage, read> sums: array<vec4f>; // sums: (ceil(M / 4), G, 256) vec4f, G = 4 * ceil(K / SIGNS)
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

override SIGNS: u32 = 32u; // signs of a word: 32 for `binary`, 64 for `codeword`

const LANES = 32u;

// The sums of a word's four bytes, from the tables at `at`.
fn look_up(at: u32, signs: u32) -> vec4f {
  let a = sums[at + (signs & 0xffu)] + sums[at + 256u + ((signs >> 8u) & 0xffu)];
  return a + (sums[at + 512u + ((signs >> 16u) & 0xffu)] + sums[at + 768u + (signs >> 24u)]);
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let n = group.x * LANES + lane;
  if (n >= params.n) {
    return;
  }
  let row = 8u * group.y;
  let key = stream_key(keys[n]);
  let words = (params.k + SIGNS - 1u) / SIGNS;
  let last = (params.m - 1u) / 4u;
  var near_at = min(row / 4u, last) * words * 1024u;
  var far_at = min(row / 4u + 1u, last) * words * 1024u;
  var counter = key.x;
  var near = vec4f();
  var far = vec4f();
  for (var index = 0u; index < words; index++) {
    let signs = stream_mix(key, counter);
    counter += STREAM_STEP;
    near += look_up(near_at, signs);
    far += look_up(far_at, signs);
    near_at += 1024u;
    far_at += 1024u;
  }
  let rows = min(8u, params.m - row);
  for (var i = 0u; i < rows; i++) {
    let out = finish(n, select(far, near, i < 4u)[i % 4u] * params.scale);
    y[(row + i) * params.n + n] = out;
  }
}
