//! use stream weights activation
//! include epilogue
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], with the integer weights w
// regenerated.
//
// For few rows. One invocation owns UNITS units of one row, 32 apart, so that it reads an input once for all of them.
// If SLICES is more than 1, that many invocations share a unit, each with its part of the inputs, and their sums are
// added in order. With SLICES 1, sums run over k in rising order, in f32, as in random_matmul, and the only barrier is
// the one for the table of `normal`.
// Grid: (ceil(N / (32 * UNITS)), M, 1).
//
// A GPU needs many invocations to hide its reads (UNITS 1, SLICES 8). On SwiftShader a read of an input costs some ten
// instructions and a barrier far more (UNITS 4, SLICES 1: 1.6 times as fast as UNITS 1 at 1 x 4096 x 4096, normal).
// Cycles per multiply-accumulate with UNITS 1, SLICES 8, RDNA2 (NAVI21) and RDNA3 (GFX1100): normal 6.5 and 7.8,
// uniform 6.8 and 8.0.
//
// Tried with `subgroups`: broadcasting the first input of a slice by subgroupBroadcastFirst, so that inputs and loop
// are uniform: 5.5 and 6.8, with scalar reads of the inputs. Rejected: WGSL does not promise that a subgroup lies
// within one slice, and where it spans two (AMD offers subgroups of 64 besides 32) the sums would be wrong. The few
// sums of the slices are added once per unit, outside the loop, so replacing workgroup memory by subgroup adds would
// save almost nothing.

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

override UNITS: u32 = 1u; // 1 or 4
override SLICES: u32 = 8u; // 1 ... 8; more than 1 with UNITS 1 only

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;
const LANES = 32u;

var<workgroup> partial_sums: array<f32, 256>;

// Word `index`. Where each quad has one of its own, `counter` = key.x + index * STREAM_STEP saves a multiplication.
fn word_at(key: vec3u, index: u32, counter: u32) -> u32 {
  if (QUADS_PER_WORD == 1u) {
    return stream_mix(key, counter);
  }
  return weights_word(key, index);
}

// Adds the quad of inputs `v` times the weights `w` of a unit to `sum`, in the order of the inputs.
fn add(sum: f32, v: vec4f, w: vec4f) -> f32 {
  var s = sum;
  s += v.x * w.x;
  s += v.y * w.y;
  s += v.z * w.z;
  s += v.w * w.w;
  return s;
}

fn store(row: u32, unit: u32, sum: f32) {
  if (unit >= params.n) {
    return;
  }
  let out = finish(unit, sum * params.scale);
  y[row * params.n + unit] = out;
}

@compute @workgroup_size(32, SLICES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) local_index: u32,
) {
  weights_prepare(local_index, LANES * SLICES);
  let n = group.x * LANES * UNITS + local.x;
  let row = group.y;
  let fan_in = params.k;
  let at = row * fan_in;
  let last = params.n - 1u;
  let key0 = stream_key(keys[min(n, last)]);
  let key1 = stream_key(keys[min(n + LANES, last)]);
  let key2 = stream_key(keys[min(n + 2u * LANES, last)]);
  let key3 = stream_key(keys[min(n + 3u * LANES, last)]);
  var word0 = 0u;
  var word1 = 0u;
  var word2 = 0u;
  var word3 = 0u;
  var sum0 = 0.0;
  var sum1 = 0.0;
  var sum2 = 0.0;
  var sum3 = 0.0;
  let words = (fan_in + WEIGHTS_PER_WORD - 1u) / WEIGHTS_PER_WORD;
  let slice = (words + SLICES - 1u) / SLICES * WEIGHTS_PER_WORD; // inputs per slice: whole words
  let first = min(local.y * slice, fan_in);
  let end = min(first + slice, fan_in);
  let whole = first + ((end - first) & ~3u); // the last one to three inputs come after the loop, which needs no branch
  var counter = first / WEIGHTS_PER_WORD * STREAM_STEP;
  for (var k = first; k < whole; k += 4u) {
    let quad = (k / 4u) % QUADS_PER_WORD;
    if (quad == 0u) {
      let index = k / WEIGHTS_PER_WORD;
      word0 = word_at(key0, index, key0.x + counter);
      if (UNITS > 1u) {
        word1 = word_at(key1, index, key1.x + counter);
        word2 = word_at(key2, index, key2.x + counter);
        word3 = word_at(key3, index, key3.x + counter);
      }
      counter += STREAM_STEP;
    }
    let v = vec4f(x[at + k], x[at + k + 1u], x[at + k + 2u], x[at + k + 3u]);
    sum0 = add(sum0, v, weights_quad(word0, quad));
    if (UNITS > 1u) {
      sum1 = add(sum1, v, weights_quad(word1, quad));
      sum2 = add(sum2, v, weights_quad(word2, quad));
      sum3 = add(sum3, v, weights_quad(word3, quad));
    }
  }
  for (var k = whole; k < end; k++) {
    let index = k / WEIGHTS_PER_WORD;
    let quad = (k / 4u) % QUADS_PER_WORD;
    let v = x[at + k];
    sum0 += v * weights_quad(weights_word(key0, index), quad)[k % 4u];
    sum1 += v * weights_quad(weights_word(key1, index), quad)[k % 4u];
    sum2 += v * weights_quad(weights_word(key2, index), quad)[k % 4u];
    sum3 += v * weights_quad(weights_word(key3, index), quad)[k % 4u];
  }
  if (SLICES > 1u) {
    partial_sums[local_index] = sum0;
    workgroupBarrier();
    if (local.y > 0u) {
      return;
    }
    for (var i = 1u; i < SLICES; i++) {
      sum0 += partial_sums[i * LANES + local.x];
    }
  }
  store(row, n, sum0);
  if (UNITS > 1u) {
    store(row, n + LANES, sum1);
    store(row, n + 2u * LANES, sum2);
    store(row, n + 3u * LANES, sum3);
  }
}
