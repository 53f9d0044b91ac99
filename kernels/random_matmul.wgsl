//! use stream weights activation
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], the integer weights w regenerated.
//
// For several rows. One invocation owns ROWS rows x UNITS units in registers: a weight is made once and used for all the rows,
// an input is read once and used for all the units. The units of an invocation lie 32 apart, so that neighbours write
// neighbours. No workgroup memory but the table of `normal`, and no barrier inside the loop: barriers are ruinous on software
// adapters. Sums run over k in rising order, in f32, whatever the shape, so the result of a row does not depend on M.
// Grid: (ceil(N / (32 * UNITS)), ceil(M / ROWS), 1).
//
// Cycles per multiply-accumulate on RDNA2 (NAVI21): 16 x 4: normal 1.28, binary 1.25, uniform 1.30, sparse 1.55 (112 to 120 registers);
// 8 x 4: normal 1.56, binary 1.50; 16 x 8 the same as 16 x 4 with 184 registers: too few waves to hide a read. On SwiftShader the
// order is 16 x 8, 8 x 8, 16 x 4, 8 x 4: there a read of an input costs some ten instructions, whose share falls with UNITS.
//
// Tried, SwiftShader's time beside that of the loop over one quad (each turn of a loop copies all sums there): two quads a turn,
// this one, 0.92 to 1.0 (and the hash of `binary` leaves room: 1.36 before); an inner loop over the quads of a word 1.05 to 1.1 for
// binary (1.14 cycles), 1.4 to 2.1 for normal; four rows' sums in a mat4x4f 0.95 to 1.2; sums in arrays with loops over the rows
// 1.35; 16 x 2 and 32 x 2 more than 8 x 4. `sparse` by packed bytes (1.42 cycles) or by a table (1.28): 1.3 in random_matmul_rows.

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

fn weights_at(key: array<vec3u, 4>, k: u32) -> mat4x4f {
  return weights_of(words_of(key, k / WEIGHTS_PER_WORD), (k / 4u) % QUADS_PER_WORD);
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
  let whole = fan_in & ~7u; // the loop has no branch at the end of a row: the last one to seven inputs come after it
  for (var k = 0u; k < whole; k += 8u) {
    let index = k / WEIGHTS_PER_WORD;
    let quad = (k / 4u) % QUADS_PER_WORD;
    if (quad == 0u) {
      near_word = words_of(near, index);
      if (UNITS > 4u) {
        far_word = words_of(far, index);
      }
    }
    var next_near = near_word;
    var next_far = far_word;
    if (QUADS_PER_WORD == 1u) {
      next_near = words_of(near, index + 1u);
      if (UNITS > 4u) {
        next_far = words_of(far, index + 1u);
      }
    }
    let next_quad = (k / 4u + 1u) % QUADS_PER_WORD;
    let w = weights_of(near_word, quad);
    let next_w = weights_of(next_near, next_quad);
    var far_w = w;
    var next_far_w = w;
    if (UNITS > 4u) {
      far_w = weights_of(far_word, quad);
      next_far_w = weights_of(next_far, next_quad);
    }
    let v0 = inputs_at(at0 + k);
    let next0 = inputs_at(at0 + k + 4u);
    near0 = add(add(near0, v0, w), next0, next_w);
    if (UNITS > 4u) {
      far0 = add(add(far0, v0, far_w), next0, next_far_w);
    }
    let v1 = inputs_at(at1 + k);
    let next1 = inputs_at(at1 + k + 4u);
    near1 = add(add(near1, v1, w), next1, next_w);
    if (UNITS > 4u) {
      far1 = add(add(far1, v1, far_w), next1, next_far_w);
    }
    let v2 = inputs_at(at2 + k);
    let next2 = inputs_at(at2 + k + 4u);
    near2 = add(add(near2, v2, w), next2, next_w);
    if (UNITS > 4u) {
      far2 = add(add(far2, v2, far_w), next2, next_far_w);
    }
    let v3 = inputs_at(at3 + k);
    let next3 = inputs_at(at3 + k + 4u);
    near3 = add(add(near3, v3, w), next3, next_w);
    if (UNITS > 4u) {
      far3 = add(add(far3, v3, far_w), next3, next_far_w);
    }
    let v4 = inputs_at(at4 + k);
    let next4 = inputs_at(at4 + k + 4u);
    near4 = add(add(near4, v4, w), next4, next_w);
    if (UNITS > 4u) {
      far4 = add(add(far4, v4, far_w), next4, next_far_w);
    }
    let v5 = inputs_at(at5 + k);
    let next5 = inputs_at(at5 + k + 4u);
    near5 = add(add(near5, v5, w), next5, next_w);
    if (UNITS > 4u) {
      far5 = add(add(far5, v5, far_w), next5, next_far_w);
    }
    let v6 = inputs_at(at6 + k);
    let next6 = inputs_at(at6 + k + 4u);
    near6 = add(add(near6, v6, w), next6, next_w);
    if (UNITS > 4u) {
      far6 = add(add(far6, v6, far_w), next6, next_far_w);
    }
    let v7 = inputs_at(at7 + k);
    let next7 = inputs_at(at7 + k + 4u);
    near7 = add(add(near7, v7, w), next7, next_w);
    if (UNITS > 4u) {
      far7 = add(add(far7, v7, far_w), next7, next_far_w);
    }
    if (ROWS > 8u) {
      let v8 = inputs_at(at8 + k);
      let next8 = inputs_at(at8 + k + 4u);
      near8 = add(add(near8, v8, w), next8, next_w);
      if (UNITS > 4u) {
        far8 = add(add(far8, v8, far_w), next8, next_far_w);
      }
      let v9 = inputs_at(at9 + k);
      let next9 = inputs_at(at9 + k + 4u);
      near9 = add(add(near9, v9, w), next9, next_w);
      if (UNITS > 4u) {
        far9 = add(add(far9, v9, far_w), next9, next_far_w);
      }
      let v10 = inputs_at(at10 + k);
      let next10 = inputs_at(at10 + k + 4u);
      near10 = add(add(near10, v10, w), next10, next_w);
      if (UNITS > 4u) {
        far10 = add(add(far10, v10, far_w), next10, next_far_w);
      }
      let v11 = inputs_at(at11 + k);
      let next11 = inputs_at(at11 + k + 4u);
      near11 = add(add(near11, v11, w), next11, next_w);
      if (UNITS > 4u) {
        far11 = add(add(far11, v11, far_w), next11, next_far_w);
      }
      let v12 = inputs_at(at12 + k);
      let next12 = inputs_at(at12 + k + 4u);
      near12 = add(add(near12, v12, w), next12, next_w);
      if (UNITS > 4u) {
        far12 = add(add(far12, v12, far_w), next12, next_far_w);
      }
      let v13 = inputs_at(at13 + k);
      let next13 = inputs_at(at13 + k + 4u);
      near13 = add(add(near13, v13, w), next13, next_w);
      if (UNITS > 4u) {
        far13 = add(add(far13, v13, far_w), next13, next_far_w);
      }
      let v14 = inputs_at(at14 + k);
      let next14 = inputs_at(at14 + k + 4u);
      near14 = add(add(near14, v14, w), next14, next_w);
      if (UNITS > 4u) {
        far14 = add(add(far14, v14, far_w), next14, next_far_w);
      }
      let v15 = inputs_at(at15 + k);
      let next15 = inputs_at(at15 + k + 4u);
      near15 = add(add(near15, v15, w), next15, next_w);
      if (UNITS > 4u) {
        far15 = add(add(far15, v15, far_w), next15, next_far_w);
      }
    }
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
  // The weights of the last inputs, a quad a matrix.
  var near_tail = array<mat4x4f, 2>(weights_at(near, whole), weights_at(near, whole + 4u));
  var far_tail = near_tail;
  if (UNITS > 4u) {
    far_tail = array<mat4x4f, 2>(weights_at(far, whole), weights_at(far, whole + 4u));
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
    store(row + i, n, near_sum);
    if (UNITS > 4u) {
      store(row + i, n + HALF, far_sum);
    }
  }
}
