//! use half stream weights activation
//! include epilogue
//! include four_units
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], with the integer weights w
// regenerated, and inputs and products in f16: two multiply-accumulates per instruction on GPUs that pack them.
// Integers up to 127 are exact in f16.
//
// For many rows, like random_matmul. One invocation owns 16 rows x 4 units. Inputs are f16 between -1 and 1, scaled row
// by row (half_rows), so that eight products stay below 1016. Eight products are added in f16; their sums are added in
// f32, in the order of the inputs. Grid: (ceil(N / 128), ceil(M / 16), 1).
//
// Cycles per multiply-accumulate as Dawn and RADV compile this file (`npm run bench -- --isa`), on RDNA2 (NAVI21) and
// RDNA3 (GFX1100): normal 0.97 and 1.14, binary 0.95 and 1.08. In f32 (random_matmul): 1.28, 1.36 and 1.17, 1.17. In
// integers (random_matmul_u8): 0.48, 0.54 and 0.33, 0.33, at eight times the error. f16 is opt-in: it is less exact.
//
// Tried: inputs as pairs of u32 through unpack2x16float: 1.47 and 1.45 on RDNA2, because each input passes through f32.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the integer weights
@group(0) @binding(1) var<storage, read> x: array<vec4<f16>>; // x: (M, 2 * ceil(K / 8)) vectors of four f16
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(3) var<storage, read> scales: array<f32>; // scales: (M) f32, from half_rows
@group(0) @binding(4) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(5) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

const LANES = 32u;
const NEXT_UNIT = LANES;
const ROWS = 16u;

// One input's four weights per column; those of `binary` come straight from their bits, two in a word.
fn halves_of(word: vec4u, quad: u32) -> mat4x4<f16> {
  if (WEIGHTS_PER_WORD == 32u) {
    let bits = word >> vec4u(4u * quad);
    return mat4x4<f16>(signs(bits, 0u), signs(bits, 1u), signs(bits, 2u), signs(bits, 3u));
  }
  let w = weights_of(word, quad);
  return mat4x4<f16>(vec4<f16>(w[0]), vec4<f16>(w[1]), vec4<f16>(w[2]), vec4<f16>(w[3]));
}

fn signs(bits: vec4u, place: u32) -> vec4<f16> {
  let low = (bits.xz << vec2u(15u - place)) & vec2u(0x8000u);
  let high = (bits.yw << vec2u(31u - place)) & vec2u(0x80000000u);
  return halves(low | high | vec2u(0x3c003c00u));
}

fn halves(two: vec2u) -> vec4<f16> {
  return vec4<f16>(vec4f(unpack2x16float(two.x), unpack2x16float(two.y)));
}

// Eight inputs of a row, from quad `quad` on, times their weights.
fn eight(quad: u32, w: mat4x4<f16>, next: mat4x4<f16>) -> vec4f {
  let v = x[quad];
  let e = x[quad + 1u];
  var sum = v.x * w[0];
  sum += v.y * w[1];
  sum += v.z * w[2];
  sum += v.w * w[3];
  sum += e.x * next[0];
  sum += e.y * next[1];
  sum += e.z * next[2];
  sum += e.w * next[3];
  return vec4f(sum);
}

fn store(row: u32, unit: u32, sum: f32) {
  if (unit >= params.n) {
    return;
  }
  let out = finish(unit, sum * params.scale * scales[row]);
  y[row * params.n + unit] = out;
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  weights_prepare(lane, LANES);
  let n = group.x * 4u * LANES + lane;
  let row = group.y * ROWS;
  if (n >= params.n) {
    return;
  }
  let key = keys_from(n);
  let quads = (params.k + 7u) / 8u * 2u;
  let last_row = params.m - 1u;
  let at0 = min(row + 0u, last_row) * quads;
  let at1 = min(row + 1u, last_row) * quads;
  let at2 = min(row + 2u, last_row) * quads;
  let at3 = min(row + 3u, last_row) * quads;
  let at4 = min(row + 4u, last_row) * quads;
  let at5 = min(row + 5u, last_row) * quads;
  let at6 = min(row + 6u, last_row) * quads;
  let at7 = min(row + 7u, last_row) * quads;
  let at8 = min(row + 8u, last_row) * quads;
  let at9 = min(row + 9u, last_row) * quads;
  let at10 = min(row + 10u, last_row) * quads;
  let at11 = min(row + 11u, last_row) * quads;
  let at12 = min(row + 12u, last_row) * quads;
  let at13 = min(row + 13u, last_row) * quads;
  let at14 = min(row + 14u, last_row) * quads;
  let at15 = min(row + 15u, last_row) * quads;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  var sum8 = vec4f();
  var sum9 = vec4f();
  var sum10 = vec4f();
  var sum11 = vec4f();
  var sum12 = vec4f();
  var sum13 = vec4f();
  var sum14 = vec4f();
  var sum15 = vec4f();
  var words = vec4u();
  for (var q = 0u; q < quads; q += 2u) {
    let quad = q % QUADS_PER_WORD;
    if (quad == 0u) {
      words = words_of(key, q / QUADS_PER_WORD);
    }
    var next_words = words;
    if (QUADS_PER_WORD == 1u) {
      next_words = words_of(key, q + 1u);
    }
    let w = halves_of(words, quad);
    let next = halves_of(next_words, (q + 1u) % QUADS_PER_WORD);
    sum0 += eight(at0 + q, w, next);
    sum1 += eight(at1 + q, w, next);
    sum2 += eight(at2 + q, w, next);
    sum3 += eight(at3 + q, w, next);
    sum4 += eight(at4 + q, w, next);
    sum5 += eight(at5 + q, w, next);
    sum6 += eight(at6 + q, w, next);
    sum7 += eight(at7 + q, w, next);
    sum8 += eight(at8 + q, w, next);
    sum9 += eight(at9 + q, w, next);
    sum10 += eight(at10 + q, w, next);
    sum11 += eight(at11 + q, w, next);
    sum12 += eight(at12 + q, w, next);
    sum13 += eight(at13 + q, w, next);
    sum14 += eight(at14 + q, w, next);
    sum15 += eight(at15 + q, w, next);
  }
  var sums = array<vec4f, 16>(
    sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7,
    sum8, sum9, sum10, sum11, sum12, sum13, sum14, sum15,
  );
  let rows = min(ROWS, params.m - row);
  for (var i = 0u; i < rows; i++) {
    for (var j = 0u; j < 4u; j++) {
      store(row + i, n + j * LANES, sums[i][j]);
    }
  }
}
