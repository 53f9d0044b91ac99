//! use stream weights activation
//! include epilogue
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], for byte inputs x and the
// weights w of `binary` or `codeword`. With s the bits that mean -1, the sum is that of all inputs minus twice that of the inputs
// that s picks. The picked inputs are counted in bit planes (kernel bit_planes): one `and` and one bit count for 32
// inputs and each of their 8 bits. The integers are exact, so the result is the same on every device.
//
// For few rows. One invocation owns one unit of ROWS rows. If SLICES is more than 1, that many invocations share a
// unit, each with its part of the words. Grid: (ceil(N / 32), ceil(M / ROWS), 1).
//
// Cycles per multiply-accumulate on RDNA2 (NAVI21), hash included: 8 slices 1.00 with one row, 0.69 with four (RDNA3,
// GFX1100: 1.03, 0.70), for `codeword` 3.38 and 1.27; one slice 0.94 and 0.61 (0.97, 0.62). On SwiftShader it takes
// 0.26 of the time of random_matmul_rows in f32 at 1 and 4 rows of 4096 x 4096. Tried: slices that end where the row
// ends, 1.06 and 0.71 (one comparison and one address per lane); the sum of the inputs computed next to each word, 1.31.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the signs
@group(0) @binding(1) var<storage, read> planes: array<u32>; // planes: (M, J, 8) u32, J = 8 * ceil(K / 256)
@group(0) @binding(2) var<storage, read> totals: array<i32>; // totals: (M) i32, from bit_planes
@group(0) @binding(3) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(4) var<storage, read> scales: array<f32>; // scales: (M) f32, read when SIGNED is 1
@group(0) @binding(5) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(6) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(7) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

override SIGNED: u32 = 0u; // 1: x holds signed bytes, and row m is multiplied by scales[m]
override ROWS: u32 = 1u; // 1 or 4
override SLICES: u32 = 8u; // 1, 2, 4 or 8
override SIGNS: u32 = 32u; // signs of a word of the stream: 32 for `binary`, 64 for `codeword`

const LANES = 32u;

var<workgroup> partial_sums: array<vec4i, 256>;

// How many inputs the signs pick, per bit: bits 0 ... 3 and 4 ... 7.
struct Counts {
  low: vec4u,
  high: vec4u,
}

fn add(counts: Counts, at: u32, signs: u32) -> Counts {
  let low = vec4u(planes[at], planes[at + 1u], planes[at + 2u], planes[at + 3u]);
  let high = vec4u(planes[at + 4u], planes[at + 5u], planes[at + 6u], planes[at + 7u]);
  return Counts(counts.low + countOneBits(low & vec4u(signs)), counts.high + countOneBits(high & vec4u(signs)));
}

// The sum of the inputs that the signs pick.
fn picked(counts: Counts) -> i32 {
  let low = vec4i(counts.low);
  let high = vec4i(counts.high);
  let top = select(128, -128, SIGNED == 1u);
  return low.x + 2 * low.y + 4 * low.z + 8 * low.w + 16 * high.x + 32 * high.y + 64 * high.z + top * high.w;
}

fn store(row: u32, unit: u32, sum: i32) {
  if (row >= params.m || unit >= params.n) {
    return;
  }
  var z = f32(sum) * params.scale;
  if (SIGNED == 1u) {
    z *= scales[row];
  }
  let out = finish(unit, z);
  y[row * params.n + unit] = out;
}

@compute @workgroup_size(32, SLICES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) local_index: u32,
) {
  let n = group.x * LANES + local.x;
  let row = group.y * ROWS;
  let key = stream_key(keys[min(n, params.n - 1u)]);
  let padded = (params.k + 255u) / 256u * 8u; // words per row; padding is 0
  let slice = select(padded / SLICES, (params.k + 31u) / 32u, SLICES == 1u); // words per invocation; uniform, so scalar
  let first = local.y * slice;
  let at = (min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(params.m - 1u)) * padded + vec4u(first)) * 8u;
  var counter = key.x + first * STREAM_STEP;
  var counts0 = Counts();
  var counts1 = Counts();
  var counts2 = Counts();
  var counts3 = Counts();
  for (var i = 0u; i < slice; i++) {
    var signs = stream_mix(key, counter);
    if (SIGNS == 64u) {
      signs = weights_word(key, first + i);
    }
    counter += STREAM_STEP;
    counts0 = add(counts0, at.x + 8u * i, signs);
    if (ROWS > 1u) {
      counts1 = add(counts1, at.y + 8u * i, signs);
      counts2 = add(counts2, at.z + 8u * i, signs);
      counts3 = add(counts3, at.w + 8u * i, signs);
    }
  }
  var sums = vec4i(picked(counts0), picked(counts1), picked(counts2), picked(counts3));
  if (SLICES > 1u) {
    partial_sums[local_index] = sums;
    workgroupBarrier();
    if (local.y > 0u) {
      return;
    }
    for (var i = 1u; i < SLICES; i++) {
      sums += partial_sums[i * LANES + local.x];
    }
  }
  for (var i = 0u; i < ROWS; i++) {
    store(row + i, n, totals[min(row + i, params.m - 1u)] - 2 * sums[i]);
  }
}
