//! use stream weights activation
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], the integer weights w regenerated.
//
// For several rows. One invocation owns ROWS rows x UNITS units in registers: a weight is made once and used for all the rows,
// an input is read once and used for all the units. The units of an invocation lie 32 apart, so that neighbours write
// neighbours. No workgroup memory but the table of `normal`, and no barrier inside the loop: barriers are ruinous on software
// adapters. Sums run over k in rising order, in f32, whatever the shape, so the result of a row does not depend on M.
// Grid: (ceil(N / (32 * UNITS)), ceil(M / ROWS), 1).
//
// Tried: 8 x 4 (1.59 cycles per multiply-accumulate on RDNA2, the table of `normal`), 16 x 4 (1.28, 96 registers), 8 x 8
// (1.58), 16 x 8 (1.28, 184 registers: too few waves to hide a read). On SwiftShader the order is 16 x 8, 8 x 8, 16 x 4, 8 x 4:
// there a read of an input costs some ten instructions, whose share falls with UNITS. Sums in arrays with loops over the rows
// took 1.35 times as long there; 16 x 2 and 32 x 2 more than 8 x 4.

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
override ROWS: u32 = 16u; // 8 or 16
override UNITS: u32 = 4u; // 4 or 8

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;
const LANES = 32u;
const HALF = 4u * LANES; // units 4 ... 7 of an invocation lie this far behind units 0 ... 3

fn inputs_at(at: u32) -> vec4f {
  return vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
}

// The sums of four units of a row after four more inputs `v`; `w` has an input's four weights a column.
fn add(sum: vec4f, v: vec4f, w: mat4x4f) -> vec4f {
  var s = sum;
  s += v.x * w[0];
  s += v.y * w[1];
  s += v.z * w[2];
  s += v.w * w[3];
  return s;
}

// Keys of four units; past the last one the last, whose sums nobody stores.
fn keys_from(n: u32) -> array<vec3u, 4> {
  let last = params.n - 1u;
  return array<vec3u, 4>(
    stream_key(keys[min(n, last)]),
    stream_key(keys[min(n + LANES, last)]),
    stream_key(keys[min(n + 2u * LANES, last)]),
    stream_key(keys[min(n + 3u * LANES, last)]),
  );
}

fn words_of(key: array<vec3u, 4>, index: u32) -> vec4u {
  return vec4u(
    stream_word(key[0], index),
    stream_word(key[1], index),
    stream_word(key[2], index),
    stream_word(key[3], index),
  );
}

fn weights_of(word: vec4u, quad: u32) -> mat4x4f {
  return transpose(mat4x4f(
    weights_quad(word.x, quad),
    weights_quad(word.y, quad),
    weights_quad(word.z, quad),
    weights_quad(word.w, quad),
  ));
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
  for (var i = 0u; i < 4u; i++) {
    let unit = n + LANES * i;
    if (unit < params.n) {
      y[row * params.n + unit] = finish(unit, sum[i]);
    }
  }
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
  // Sums of units 0 ... 3 and 4 ... 7, a row each.
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
  let whole = fan_in & ~3u; // the loop has no branch at the end of a row: the last one to three inputs come after it
  for (var k = 0u; k < whole; k += 4u) {
    let quad = (k / 4u) % QUADS_PER_WORD;
    if (quad == 0u) {
      let index = k / WEIGHTS_PER_WORD;
      near_word = words_of(near, index);
      if (UNITS > 4u) {
        far_word = words_of(far, index);
      }
    }
    let w = weights_of(near_word, quad);
    var far_w = w;
    if (UNITS > 4u) {
      far_w = weights_of(far_word, quad);
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
  for (var k = whole; k < fan_in; k++) {
    let quad = (k / 4u) % QUADS_PER_WORD;
    let index = k / WEIGHTS_PER_WORD;
    let w = transpose(weights_of(words_of(near, index), quad));
    let far_w = transpose(weights_of(words_of(far, index), quad));
    let i = k % 4u;
    let c = vec4f(w[0][i], w[1][i], w[2][i], w[3][i]);
    let d = vec4f(far_w[0][i], far_w[1][i], far_w[2][i], far_w[3][i]);
    near0 += x[at0 + k] * c;
    far0 += x[at0 + k] * d;
    near1 += x[at1 + k] * c;
    far1 += x[at1 + k] * d;
    near2 += x[at2 + k] * c;
    far2 += x[at2 + k] * d;
    near3 += x[at3 + k] * c;
    far3 += x[at3 + k] * d;
    near4 += x[at4 + k] * c;
    far4 += x[at4 + k] * d;
    near5 += x[at5 + k] * c;
    far5 += x[at5 + k] * d;
    near6 += x[at6 + k] * c;
    far6 += x[at6 + k] * d;
    near7 += x[at7 + k] * c;
    far7 += x[at7 + k] * d;
    near8 += x[at8 + k] * c;
    far8 += x[at8 + k] * d;
    near9 += x[at9 + k] * c;
    far9 += x[at9 + k] * d;
    near10 += x[at10 + k] * c;
    far10 += x[at10 + k] * d;
    near11 += x[at11 + k] * c;
    far11 += x[at11 + k] * d;
    near12 += x[at12 + k] * c;
    far12 += x[at12 + k] * d;
    near13 += x[at13 + k] * c;
    far13 += x[at13 + k] * d;
    near14 += x[at14 + k] * c;
    far14 += x[at14 + k] * d;
    near15 += x[at15 + k] * c;
    far15 += x[at15 + k] * d;
  }
  // One loop, so that the activation is compiled once: with a copy for each row a driver takes a second to compile the kernel.
  var nears = array<vec4f, 16>(
    near0, near1, near2, near3, near4, near5, near6, near7,
    near8, near9, near10, near11, near12, near13, near14, near15,
  );
  var fars = array<vec4f, 16>(
    far0, far1, far2, far3, far4, far5, far6, far7,
    far8, far9, far10, far11, far12, far13, far14, far15,
  );
  let rows = min(ROWS, params.m - row);
  for (var i = 0u; i < rows; i++) {
    store(row + i, n, nears[i]);
    if (UNITS > 4u) {
      store(row + i, n + HALF, fars[i]);
    }
  }
}
