//! use stream weights activation
//! include epilogue
//! include four_units
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], with the integer weights w
// regenerated.
//
// For several rows. One invocation owns ROWS rows x UNITS units in registers: it generates a weight once for all its
// rows and reads an input once for all its units. Its units lie 32 apart, so that neighbours write neighbours.
// The only workgroup memory is the table of `normal`. The loop has no barrier, because barriers are ruinous on software
// adapters. Sums run over k in rising order, in f32, whatever the shape, so the result of a row does not depend on M.
// Grid: (ceil(N / (32 * UNITS)), ceil(M / ROWS), 1).
//
// Cycles per multiply-accumulate on RDNA2 (NAVI21):
//   16 x 4: normal 1.28, binary 1.17, uniform 1.30, sparse 1.55 (112 to 120 registers)
//   8 x 4: normal 1.56, binary 1.50
//   16 x 8: the same as 16 x 4, but with 184 registers: too few waves to hide a read
// On SwiftShader the order, fastest first, is 16 x 8, 8 x 8, 16 x 4, 8 x 4: there, reading an input costs some ten
// instructions, and the share of that cost falls as UNITS grows.
//
// Tried, with the time on SwiftShader relative to a loop over one quad (each iteration there copies all sums):
//   two quads per iteration (this kernel): 0.92 to 1.0 (before it, binary took 1.36 cycles)
//   an inner loop over the quads of a word: binary 1.05 to 1.1 (1.14 cycles), normal 1.4 to 2.1
//   the sums of four rows in a mat4x4f: 0.95 to 1.2
//   sums in arrays with loops over the rows: 1.35
//   16 x 2 and 32 x 2: slower than 8 x 4
//   `sparse` from packed bytes (1.42 cycles) or from a table (1.28): 1.3 in random_matmul_rows

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the integer weights
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

override ROWS: u32 = 16u; // 8 or 16
override UNITS: u32 = 4u; // 4 or 8

const LANES = 32u;
const NEXT_UNIT = LANES;
const HALF = 4u * LANES; // distance from units 0 ... 3 of an invocation to its units 4 ... 7

// Eight inputs of a row, one quad per column.
fn inputs_at(at: u32) -> mat2x4f {
  return mat2x4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u], x[at + 4u], x[at + 5u], x[at + 6u], x[at + 7u]);
}

// Weights of two quads of inputs; each column holds one input's four weights.
alias Weights = array<mat4x4f, 2>;

// Adds eight more inputs to the sums of four units of a row.
fn add(sum: vec4f, v: mat2x4f, w: Weights) -> vec4f {
  return add_quad(add_quad(sum, v[0], w[0]), v[1], w[1]);
}

fn add_quad(sum: vec4f, v: vec4f, w: mat4x4f) -> vec4f {
  var s = sum;
  s += v.x * w[0];
  s += v.y * w[1];
  s += v.z * w[2];
  s += v.w * w[3];
  return s;
}

// Weights of the inputs from k on. They lie in `word` and, if a word holds only four, in the next one.
fn weights_from(key: array<vec3u, 4>, word: vec4u, k: u32) -> Weights {
  let quad = (k / 4u) % QUADS_PER_WORD;
  if (QUADS_PER_WORD == 1u) {
    return Weights(weights_of(word, quad), weights_of(words_of(key, k / 4u + 1u), quad));
  }
  return Weights(weights_of(word, quad), weights_of(word, quad + 1u));
}

fn store(row: u32, unit: u32, sum: f32) {
  if (unit >= params.n) {
    return;
  }
  let out = finish(unit, sum * params.scale);
  y[row * params.n + unit] = out;
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  weights_prepare(lane, LANES);
  let n = group.x * LANES * UNITS + lane;
  let row = group.y * ROWS;
  if (n >= params.n) {
    return;
  }
  let fan_in = params.k;
  let last_row = params.m - 1u;
  let near = keys_from(n);
  let far = keys_from(n + HALF);
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
  // Sums of units 0 ... 3 and 4 ... 7, one variable per row.
  var near0 = vec4f();
  var far0 = vec4f();
  var near1 = vec4f();
  var far1 = vec4f();
  var near2 = vec4f();
  var far2 = vec4f();
  var near3 = vec4f();
  var far3 = vec4f();
  var near4 = vec4f();
  var far4 = vec4f();
  var near5 = vec4f();
  var far5 = vec4f();
  var near6 = vec4f();
  var far6 = vec4f();
  var near7 = vec4f();
  var far7 = vec4f();
  var near8 = vec4f();
  var far8 = vec4f();
  var near9 = vec4f();
  var far9 = vec4f();
  var near10 = vec4f();
  var far10 = vec4f();
  var near11 = vec4f();
  var far11 = vec4f();
  var near12 = vec4f();
  var far12 = vec4f();
  var near13 = vec4f();
  var far13 = vec4f();
  var near14 = vec4f();
  var far14 = vec4f();
  var near15 = vec4f();
  var far15 = vec4f();
  var near_word = vec4u();
  var far_word = vec4u();
  let whole = fan_in & ~7u; // the last one to seven inputs come after the loop, which needs no branch for them
  for (var k = 0u; k < whole; k += 8u) {
    if (k % WEIGHTS_PER_WORD < 8u) {
      near_word = words_of(near, k / WEIGHTS_PER_WORD);
      if (UNITS > 4u) {
        far_word = words_of(far, k / WEIGHTS_PER_WORD);
      }
    }
    let w = weights_from(near, near_word, k);
    var far_w = w;
    if (UNITS > 4u) {
      far_w = weights_from(far, far_word, k);
    }
    let v0 = inputs_at(at0 + k);
    near0 = add(near0, v0, w);
    if (UNITS > 4u) {
      far0 = add(far0, v0, far_w);
    }
    let v1 = inputs_at(at1 + k);
    near1 = add(near1, v1, w);
    if (UNITS > 4u) {
      far1 = add(far1, v1, far_w);
    }
    let v2 = inputs_at(at2 + k);
    near2 = add(near2, v2, w);
    if (UNITS > 4u) {
      far2 = add(far2, v2, far_w);
    }
    let v3 = inputs_at(at3 + k);
    near3 = add(near3, v3, w);
    if (UNITS > 4u) {
      far3 = add(far3, v3, far_w);
    }
    let v4 = inputs_at(at4 + k);
    near4 = add(near4, v4, w);
    if (UNITS > 4u) {
      far4 = add(far4, v4, far_w);
    }
    let v5 = inputs_at(at5 + k);
    near5 = add(near5, v5, w);
    if (UNITS > 4u) {
      far5 = add(far5, v5, far_w);
    }
    let v6 = inputs_at(at6 + k);
    near6 = add(near6, v6, w);
    if (UNITS > 4u) {
      far6 = add(far6, v6, far_w);
    }
    let v7 = inputs_at(at7 + k);
    near7 = add(near7, v7, w);
    if (UNITS > 4u) {
      far7 = add(far7, v7, far_w);
    }
    if (ROWS > 8u) {
      let v8 = inputs_at(at8 + k);
      near8 = add(near8, v8, w);
      if (UNITS > 4u) {
        far8 = add(far8, v8, far_w);
      }
      let v9 = inputs_at(at9 + k);
      near9 = add(near9, v9, w);
      if (UNITS > 4u) {
        far9 = add(far9, v9, far_w);
      }
      let v10 = inputs_at(at10 + k);
      near10 = add(near10, v10, w);
      if (UNITS > 4u) {
        far10 = add(far10, v10, far_w);
      }
      let v11 = inputs_at(at11 + k);
      near11 = add(near11, v11, w);
      if (UNITS > 4u) {
        far11 = add(far11, v11, far_w);
      }
      let v12 = inputs_at(at12 + k);
      near12 = add(near12, v12, w);
      if (UNITS > 4u) {
        far12 = add(far12, v12, far_w);
      }
      let v13 = inputs_at(at13 + k);
      near13 = add(near13, v13, w);
      if (UNITS > 4u) {
        far13 = add(far13, v13, far_w);
      }
      let v14 = inputs_at(at14 + k);
      near14 = add(near14, v14, w);
      if (UNITS > 4u) {
        far14 = add(far14, v14, far_w);
      }
      let v15 = inputs_at(at15 + k);
      near15 = add(near15, v15, w);
      if (UNITS > 4u) {
        far15 = add(far15, v15, far_w);
      }
    }
  }
  // One loop, so that the activation is compiled once. With a copy per row, a driver takes a second to compile the
  // kernel.
  var nears = array<vec4f, 16>(
    near0, near1, near2, near3, near4, near5, near6, near7,
    near8, near9, near10, near11, near12, near13, near14, near15,
  );
  var fars = array<vec4f, 16>(
    far0, far1, far2, far3, far4, far5, far6, far7,
    far8, far9, far10, far11, far12, far13, far14, far15,
  );
  // Weights of the last inputs, one quad per matrix.
  var near_tail = weights_from(near, words_of(near, whole / WEIGHTS_PER_WORD), whole);
  var far_tail = near_tail;
  if (UNITS > 4u) {
    far_tail = weights_from(far, words_of(far, whole / WEIGHTS_PER_WORD), whole);
  }
  let rows = min(ROWS, params.m - row);
  for (var i = 0u; i < rows; i++) {
    var near_sum = nears[i];
    var far_sum = fars[i];
    for (var k = whole; k < fan_in; k++) {
      let v = x[(row + i) * fan_in + k];
      let at = k - whole;
      near_sum += v * near_tail[at / 4u][at % 4u];
      far_sum += v * far_tail[at / 4u][at % 4u];
    }
    for (var j = 0u; j < UNITS; j++) {
      store(row + i, n + LANES * j, select(far_sum, near_sum, j < 4u)[j % 4u]);
    }
  }
}
