//! use stream weights activation
//! include epilogue
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], for byte inputs x: four
// multiply-accumulates per instruction (dot4I8Packed), in integers. As in random_matmul_u8, z is the same on every
// device.
//
// For few rows. One invocation owns one unit of ROWS rows. If SLICES is more than 1, that many invocations share a
// unit, each with its part of the inputs. dot4I8Packed takes signed bytes. For unsigned bytes the kernel multiplies
// x - 128, then adds 128 times the sum of the unit's weights. Bytes that pad a row to whole words are 0.
// Grid: (ceil(N / 32), ceil(M / ROWS), 1).
//
// Cycles per multiply-accumulate on RDNA2 (NAVI21), 8 slices: one row normal 8.5, binary 7.8, uniform 8.8, sparse 12.8;
// four rows 2.7, 2.5, 2.8, 3.8 (RDNA3, GFX1100: normal 10.5 and 3.2). Packing four weights costs more than their four
// products: with one row f32 is faster (random_matmul_rows: 6.5), on SwiftShader too (1.6 to 2.3 times). The benefit is
// that the sums are exact.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the integer weights
@group(0) @binding(1) var<storage, read> x: array<u32>; // x: (M, ceil(K / 4)) u32, four bytes each, lowest first
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(3) var<storage, read> scales: array<f32>; // scales: (M) f32, read when SIGNED is 1
@group(0) @binding(4) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(5) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(6) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

override SIGNED: u32 = 0u; // 1: x holds signed bytes, and row m is multiplied by scales[m]
override ROWS: u32 = 1u; // 1 or 4
override SLICES: u32 = 8u; // 1 ... 8

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;
const LANES = 32u;

var<workgroup> partial_sums: array<vec4i, 256>;

// Four integer weights as signed bytes; those of `binary` come straight from their four bits.
fn weights_packed(word: u32, quad: u32) -> u32 {
  if (WEIGHTS_PER_WORD == 32u) {
    let negative = (((word >> (4u * quad)) & 15u) * 0x00204081u) & 0x01010101u;
    return ((negative << 8u) - negative) | 0x01010101u;
  }
  return pack4xI8(vec4i(weights_quad(word, quad)));
}

// Word `index`. Where each quad has one of its own, `counter` = key.x + index * STREAM_STEP saves a multiplication.
fn word_at(key: vec3u, index: u32, counter: u32) -> u32 {
  if (QUADS_PER_WORD == 1u) {
    return stream_mix(key, counter);
  }
  return weights_word(key, index);
}

fn product(at: u32, w: u32) -> i32 {
  return dot4I8Packed(x[at] ^ select(0x80808080u, 0u, SIGNED == 1u), w);
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
  weights_prepare(local_index, LANES * SLICES);
  let n = group.x * LANES + local.x;
  let row = group.y * ROWS;
  let key = stream_key(keys[min(n, params.n - 1u)]);
  let quads = (params.k + 3u) / 4u;
  let words = (quads + QUADS_PER_WORD - 1u) / QUADS_PER_WORD;
  let slice = (words + SLICES - 1u) / SLICES * QUADS_PER_WORD; // quads per slice: whole words
  let first = min(local.y * slice, quads);
  let end = min(first + slice, quads);
  let at = min(vec4u(row) + vec4u(0u, 1u, 2u, 3u), vec4u(params.m - 1u)) * quads;
  var counter = key.x + first / QUADS_PER_WORD * STREAM_STEP;
  var word = 0u;
  var total = 0; // sum of the weights
  var sums = vec4i();
  for (var i = first; i < end; i++) {
    let quad = i % QUADS_PER_WORD;
    if (quad == 0u) {
      word = word_at(key, i / QUADS_PER_WORD, counter);
      counter += STREAM_STEP;
    }
    let w = weights_packed(word, quad);
    if (SIGNED == 0u) {
      total += dot4I8Packed(0x01010101u, w);
    }
    sums.x += product(at.x + i, w);
    if (ROWS > 1u) {
      sums.y += product(at.y + i, w);
      sums.z += product(at.z + i, w);
      sums.w += product(at.w + i, w);
    }
  }
  sums += 128 * total;
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
    store(row + i, n, sums[i]);
  }
}
