//! use stream weights activation
//! include epilogue
// y[p, m, n] = g(u[n] * z[p, m, n] + b[n]),  z[p, m, n] = scale * sum over k of part p of w[n, k] * x[m, k], with the
// integer weights w regenerated.
//
// For large batches on a GPU. One invocation owns 32 rows x 3 units in registers, so a weight serves 32 rows. With one
// part (P = 1) the sums run over k in rising order, in f32, as in random_matmul. With more, the workgroups with z = p
// take part p of the inputs, a multiple of 32, and sum_parts adds them and does the epilogue.
// Grid: (ceil(N / 96), ceil(M / 32), P).
//
// Cycles per multiply-accumulate on RDNA2 (NAVI21): normal 1.14, binary 1.08 (128 registers, none
// spilled; random_matmul in 16 x 4: 1.28 and 1.17).

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

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;
const LANES = 32u;
const ROWS = 32u;

fn words_of(key: array<vec3u, 3>, index: u32) -> vec3u {
  return vec3u(weights_word(key[0], index), weights_word(key[1], index), weights_word(key[2], index));
}

// One input's three weights per column.
fn weights_of(word: vec3u, quad: u32) -> mat4x3f {
  return transpose(mat3x4f(weights_quad(word.x, quad), weights_quad(word.y, quad), weights_quad(word.z, quad)));
}

// Adds a quad of inputs, from `at` on, to the sums of a row, in the order of the inputs.
fn add(sum: vec3f, at: u32, w: mat4x3f) -> vec3f {
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
  let n = group.x * 3u * LANES + lane;
  let row = group.y * ROWS;
  if (n >= params.n) {
    return;
  }
  let fan_in = params.k;
  let first = group.z * params.part;
  let end = min(first + params.part, fan_in);
  let last = params.n - 1u; // past the end the last key repeats; its sums are never stored
  let last_row = params.m - 1u;
  let key = array<vec3u, 3>(
    stream_key(keys[min(n, last)]),
    stream_key(keys[min(n + LANES, last)]),
    stream_key(keys[min(n + 2u * LANES, last)]),
  );
  let at0 = min(row + 0u, last_row) * fan_in;
  let at1 = min(row + 1u, last_row) * fan_in;
  let at2 = min(row + 2u, last_row) * fan_in;
  let at3 = min(row + 3u, last_row) * fan_in;
  let at4 = min(row + 4u, last_row) * fan_in;
  let at5 = min(row + 5u, last_row) * fan_in;
  let at6 = min(row + 6u, last_row) * fan_in;
  let at7 = min(row + 7u, last_row) * fan_in;
  let at8 = min(row + 8u, last_row) * fan_in;
  let at9 = min(row + 9u, last_row) * fan_in;
  let at10 = min(row + 10u, last_row) * fan_in;
  let at11 = min(row + 11u, last_row) * fan_in;
  let at12 = min(row + 12u, last_row) * fan_in;
  let at13 = min(row + 13u, last_row) * fan_in;
  let at14 = min(row + 14u, last_row) * fan_in;
  let at15 = min(row + 15u, last_row) * fan_in;
  let at16 = min(row + 16u, last_row) * fan_in;
  let at17 = min(row + 17u, last_row) * fan_in;
  let at18 = min(row + 18u, last_row) * fan_in;
  let at19 = min(row + 19u, last_row) * fan_in;
  let at20 = min(row + 20u, last_row) * fan_in;
  let at21 = min(row + 21u, last_row) * fan_in;
  let at22 = min(row + 22u, last_row) * fan_in;
  let at23 = min(row + 23u, last_row) * fan_in;
  let at24 = min(row + 24u, last_row) * fan_in;
  let at25 = min(row + 25u, last_row) * fan_in;
  let at26 = min(row + 26u, last_row) * fan_in;
  let at27 = min(row + 27u, last_row) * fan_in;
  let at28 = min(row + 28u, last_row) * fan_in;
  let at29 = min(row + 29u, last_row) * fan_in;
  let at30 = min(row + 30u, last_row) * fan_in;
  let at31 = min(row + 31u, last_row) * fan_in;
  var sum0 = vec3f();
  var sum1 = vec3f();
  var sum2 = vec3f();
  var sum3 = vec3f();
  var sum4 = vec3f();
  var sum5 = vec3f();
  var sum6 = vec3f();
  var sum7 = vec3f();
  var sum8 = vec3f();
  var sum9 = vec3f();
  var sum10 = vec3f();
  var sum11 = vec3f();
  var sum12 = vec3f();
  var sum13 = vec3f();
  var sum14 = vec3f();
  var sum15 = vec3f();
  var sum16 = vec3f();
  var sum17 = vec3f();
  var sum18 = vec3f();
  var sum19 = vec3f();
  var sum20 = vec3f();
  var sum21 = vec3f();
  var sum22 = vec3f();
  var sum23 = vec3f();
  var sum24 = vec3f();
  var sum25 = vec3f();
  var sum26 = vec3f();
  var sum27 = vec3f();
  var sum28 = vec3f();
  var sum29 = vec3f();
  var sum30 = vec3f();
  var sum31 = vec3f();
  var word = vec3u();
  let whole = (end - first) & ~3u; // the last one to three inputs come after the loop, which needs no branch for them
  for (var i = 0u; i < whole; i += 4u) {
    let k = first + i;
    if (i % WEIGHTS_PER_WORD < 4u) {
      word = words_of(key, k / WEIGHTS_PER_WORD);
    }
    let w = weights_of(word, (i / 4u) % QUADS_PER_WORD);
    sum0 = add(sum0, at0 + k, w);
    sum1 = add(sum1, at1 + k, w);
    sum2 = add(sum2, at2 + k, w);
    sum3 = add(sum3, at3 + k, w);
    sum4 = add(sum4, at4 + k, w);
    sum5 = add(sum5, at5 + k, w);
    sum6 = add(sum6, at6 + k, w);
    sum7 = add(sum7, at7 + k, w);
    sum8 = add(sum8, at8 + k, w);
    sum9 = add(sum9, at9 + k, w);
    sum10 = add(sum10, at10 + k, w);
    sum11 = add(sum11, at11 + k, w);
    sum12 = add(sum12, at12 + k, w);
    sum13 = add(sum13, at13 + k, w);
    sum14 = add(sum14, at14 + k, w);
    sum15 = add(sum15, at15 + k, w);
    sum16 = add(sum16, at16 + k, w);
    sum17 = add(sum17, at17 + k, w);
    sum18 = add(sum18, at18 + k, w);
    sum19 = add(sum19, at19 + k, w);
    sum20 = add(sum20, at20 + k, w);
    sum21 = add(sum21, at21 + k, w);
    sum22 = add(sum22, at22 + k, w);
    sum23 = add(sum23, at23 + k, w);
    sum24 = add(sum24, at24 + k, w);
    sum25 = add(sum25, at25 + k, w);
    sum26 = add(sum26, at26 + k, w);
    sum27 = add(sum27, at27 + k, w);
    sum28 = add(sum28, at28 + k, w);
    sum29 = add(sum29, at29 + k, w);
    sum30 = add(sum30, at30 + k, w);
    sum31 = add(sum31, at31 + k, w);
  }
  var near = array<vec3f, 16>(
    sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7,
    sum8, sum9, sum10, sum11, sum12, sum13, sum14, sum15,
  );
  var far = array<vec3f, 16>(
    sum16, sum17, sum18, sum19, sum20, sum21, sum22, sum23,
    sum24, sum25, sum26, sum27, sum28, sum29, sum30, sum31,
  );
  let rest = first + whole;
  let tail = weights_of(words_of(key, rest / WEIGHTS_PER_WORD), (rest / 4u) % QUADS_PER_WORD);
  // Two arrays of half the rows: a driver moves one of 96 numbers to memory.
  for (var i = 0u; i < ROWS; i++) {
    let at = row + i;
    if (at >= params.m) {
      return;
    }
    var sum = select(far[i % 16u], near[i % 16u], i < 16u);
    for (var k = rest; k < end; k++) {
      sum += x[at * fan_in + k] * tail[k - rest];
    }
    let to = (group.z * params.m + at) * params.n;
    for (var j = 0u; j < 3u; j++) {
      let unit = n + LANES * j;
      if (unit < params.n) {
        let out = finish(unit, sum[j] * params.scale);
        y[to + unit] = out;
      }
    }
  }
}
