//! use stream weights activation
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], the integer weights w regenerated.
//
// For one to three rows. One invocation owns one unit of one row: its sum stays in a register, the inputs are read by all at once.
// Sums run over k in rising order, in f32, as in random_matmul.
// Grid: (ceil(N / 64), M, 1).
//
// Compiled by Mesa for RDNA2 (NAVI21), no spills: 16 VGPRs; VALU cycles per multiply-accumulate, counted in one turn of the
// loop: normal 5.75 and 1 LDS read; binary 7.0, its hash counted in each turn although it runs in one of eight.

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

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;

// Four inputs from index `at` on.
fn inputs_at(at: u32) -> vec4f {
  return vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local_index: u32) {
  weights_prepare(local_index, 64u);
  let n = id.x;
  let row = id.y;
  if (n >= params.n) {
    return;
  }
  let key = keys[n];
  var word = 0u;
  var sum = 0.0;
  let at = row * params.k;
  let fan_in = params.k;
  let whole = fan_in & ~3u; // the loop has no branch at the end of a row: the last one to three inputs come after it
  for (var k = 0u; k < whole; k += 4u) {
    let quad = (k / 4u) % QUADS_PER_WORD;
    if (quad == 0u) {
      word = stream_word(key, k / WEIGHTS_PER_WORD);
    }
    let w = weights_quad(word, quad);
    let v = inputs_at(at + k);
    sum += v.x * w.x;
    sum += v.y * w.y;
    sum += v.z * w.z;
    sum += v.w * w.w;
  }
  for (var k = whole; k < fan_in; k++) {
    let w = weights_quad(stream_word(key, k / WEIGHTS_PER_WORD), (k / 4u) % QUADS_PER_WORD);
    sum += x[at + k] * w[k % 4u];
  }
  y[row * params.n + n] = finish(n, sum);
}
