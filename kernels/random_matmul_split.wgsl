//! use stream weights activation
//! include epilogue
//! include four_units
// y[p, m, n] = g(u[n] * z[p, m, n] + b[n]),  z[p, m, n] = scale * sum over k of part p of w[n, k] * x[m, k], with the
// integer weights w regenerated.
//
// For few rows on a GPU. As in random_matmul, one invocation owns ROWS rows x 4 units, but only a part of the inputs:
// part p is that of the workgroups with z = p, so all lanes of a workgroup read the same inputs, once for the wave.
// sum_parts adds the parts and does the epilogue. A part is a multiple of 32 inputs.
// Grid: (ceil(N / 128), ceil(M / ROWS), P).
//
// Cycles per multiply-accumulate on RDNA2 (NAVI21), by ROWS:
//   normal: 2 rows 3.25, 4 rows 2.13, 8 rows 1.56 (48 to 72 registers)
//   binary: 2.34, 1.67, 1.34
// random_matmul_rows, whose slices share a workgroup, takes 6.5 and reads its inputs per lane.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  part: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, inputs of a part, scale of the integer weights
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // y: (P, M, N) row-major f32, P parts

override ROWS: u32 = 8u; // 2, 4 or 8

const LANES = 32u;
const NEXT_UNIT = LANES;

// Adds a quad of inputs, from `at` on, to the sums of a row, in the order of the inputs.
fn add(sum: vec4f, at: u32, w: mat4x4f) -> vec4f {
  var s = sum;
  s += x[at] * w[0];
  s += x[at + 1u] * w[1];
  s += x[at + 2u] * w[2];
  s += x[at + 3u] * w[3];
  return s;
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  weights_prepare(lane, LANES);
  let n = group.x * 4u * LANES + lane;
  let row = group.y * ROWS;
  if (n >= params.n) {
    return;
  }
  let fan_in = params.k;
  let first = group.z * params.part;
  let end = min(first + params.part, fan_in);
  let last_row = params.m - 1u;
  let key = keys_from(n);
  let at0 = min(row + 0u, last_row) * fan_in;
  let at1 = min(row + 1u, last_row) * fan_in;
  let at2 = min(row + 2u, last_row) * fan_in;
  let at3 = min(row + 3u, last_row) * fan_in;
  let at4 = min(row + 4u, last_row) * fan_in;
  let at5 = min(row + 5u, last_row) * fan_in;
  let at6 = min(row + 6u, last_row) * fan_in;
  let at7 = min(row + 7u, last_row) * fan_in;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  var word = vec4u();
  let whole = (end - first) & ~3u; // the last one to three inputs come after the loop, which needs no branch for them
  for (var i = 0u; i < whole; i += 4u) {
    let k = first + i;
    if (i % WEIGHTS_PER_WORD < 4u) {
      word = words_of(key, k / WEIGHTS_PER_WORD);
    }
    let w = weights_of(word, (i / 4u) % QUADS_PER_WORD);
    sum0 = add(sum0, at0 + k, w);
    sum1 = add(sum1, at1 + k, w);
    if (ROWS > 2u) {
      sum2 = add(sum2, at2 + k, w);
      sum3 = add(sum3, at3 + k, w);
    }
    if (ROWS > 4u) {
      sum4 = add(sum4, at4 + k, w);
      sum5 = add(sum5, at5 + k, w);
      sum6 = add(sum6, at6 + k, w);
      sum7 = add(sum7, at7 + k, w);
    }
  }
  var sums = array<vec4f, 8>(
    sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7,
  );
  let rest = first + whole;
  let tail = weights_of(words_of(key, rest / WEIGHTS_PER_WORD), (rest / 4u) % QUADS_PER_WORD);
  let rows = min(ROWS, params.m - row);
  for (var i = 0u; i < rows; i++) {
    let at = row + i;
    var sum = sums[i];
    for (var k = rest; k < end; k++) {
      sum += x[at * fan_in + k] * tail[k - rest];
    }
    let to = (group.z * params.m + at) * params.n;
    for (var j = 0u; j < 4u; j++) {
      let unit = n + LANES * j;
      if (unit < params.n) {
        let out = finish(unit, sum[j] * params.scale);
        y[to + unit] = out;
      }
    }
  }
}
