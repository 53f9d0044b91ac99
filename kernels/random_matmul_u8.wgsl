//! use stream weights activation
//! include epilogue
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], for byte inputs x: four
// multiply-accumulates per instruction (dot4I8Packed), in integers. The sum is exact below 2^31, that is, below 66,000
// inputs. Its conversion to f32 rounds once, so z is the same on every device, in any order of addition.
//
// Compiled for RDNA2 (NAVI21), cycles per multiply-accumulate: normal 0.48, binary 0.42, uniform 0.48, sparse 0.61; 80
// registers. Tried: packing binary like the others, 0.52; packing the others by multiply-adds in f32, 0.47; normal from
// tables of packed bytes, 0.42, at the price of a second table in every bundle.
//
// One invocation owns 32 rows x 2 units, 32 apart. dot4I8Packed takes signed bytes. For unsigned bytes the kernel
// multiplies x - 128, then adds 128 times the sum of the unit's weights. Bytes that pad a row to whole words are 0.
// Grid: (ceil(N / 64), ceil(M / 32), 1).

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

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;
const LANES = 32u;
const ROWS = 32u;

// Four integer weights as signed bytes; those of `binary` come straight from their four bits.
fn weights_packed(word: u32, quad: u32) -> u32 {
  if (WEIGHTS_PER_WORD == 32u) {
    let negative = (((word >> (4u * quad)) & 15u) * 0x00204081u) & 0x01010101u;
    return ((negative << 8u) - negative) | 0x01010101u;
  }
  return pack4xI8(vec4i(weights_quad(word, quad)));
}

fn add(sum: vec2i, inputs: u32, w: vec2u) -> vec2i {
  let signed = inputs ^ select(0x80808080u, 0u, SIGNED == 1u);
  return sum + vec2i(dot4I8Packed(signed, w.x), dot4I8Packed(signed, w.y));
}

fn store(row: u32, unit: u32, sum: i32) {
  if (unit >= params.n) {
    return;
  }
  var z = f32(sum) * params.scale;
  if (SIGNED == 1u) {
    z *= scales[row];
  }
  let out = finish(unit, z);
  y[row * params.n + unit] = out;
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  weights_prepare(lane, LANES);
  let n = group.x * 2u * LANES + lane;
  let row = group.y * ROWS;
  if (n >= params.n) {
    return;
  }
  let last = params.n - 1u;
  let key0 = stream_key(keys[n]);
  let key1 = stream_key(keys[min(n + LANES, last)]);
  let quads = (params.k + 3u) / 4u;
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
  let at16 = min(row + 16u, last_row) * quads;
  let at17 = min(row + 17u, last_row) * quads;
  let at18 = min(row + 18u, last_row) * quads;
  let at19 = min(row + 19u, last_row) * quads;
  let at20 = min(row + 20u, last_row) * quads;
  let at21 = min(row + 21u, last_row) * quads;
  let at22 = min(row + 22u, last_row) * quads;
  let at23 = min(row + 23u, last_row) * quads;
  let at24 = min(row + 24u, last_row) * quads;
  let at25 = min(row + 25u, last_row) * quads;
  let at26 = min(row + 26u, last_row) * quads;
  let at27 = min(row + 27u, last_row) * quads;
  let at28 = min(row + 28u, last_row) * quads;
  let at29 = min(row + 29u, last_row) * quads;
  let at30 = min(row + 30u, last_row) * quads;
  let at31 = min(row + 31u, last_row) * quads;
  var sum0 = vec2i();
  var sum1 = vec2i();
  var sum2 = vec2i();
  var sum3 = vec2i();
  var sum4 = vec2i();
  var sum5 = vec2i();
  var sum6 = vec2i();
  var sum7 = vec2i();
  var sum8 = vec2i();
  var sum9 = vec2i();
  var sum10 = vec2i();
  var sum11 = vec2i();
  var sum12 = vec2i();
  var sum13 = vec2i();
  var sum14 = vec2i();
  var sum15 = vec2i();
  var sum16 = vec2i();
  var sum17 = vec2i();
  var sum18 = vec2i();
  var sum19 = vec2i();
  var sum20 = vec2i();
  var sum21 = vec2i();
  var sum22 = vec2i();
  var sum23 = vec2i();
  var sum24 = vec2i();
  var sum25 = vec2i();
  var sum26 = vec2i();
  var sum27 = vec2i();
  var sum28 = vec2i();
  var sum29 = vec2i();
  var sum30 = vec2i();
  var sum31 = vec2i();
  var total = vec2i(); // sums of the weights
  var words = vec2u();
  for (var i = 0u; i < quads; i++) {
    let quad = i % QUADS_PER_WORD;
    if (quad == 0u) {
      let index = i / QUADS_PER_WORD;
      words = vec2u(weights_word(key0, index), weights_word(key1, index));
    }
    let w = vec2u(weights_packed(words.x, quad), weights_packed(words.y, quad));
    total += vec2i(dot4I8Packed(0x01010101u, w.x), dot4I8Packed(0x01010101u, w.y));
    sum0 = add(sum0, x[at0 + i], w);
    sum1 = add(sum1, x[at1 + i], w);
    sum2 = add(sum2, x[at2 + i], w);
    sum3 = add(sum3, x[at3 + i], w);
    sum4 = add(sum4, x[at4 + i], w);
    sum5 = add(sum5, x[at5 + i], w);
    sum6 = add(sum6, x[at6 + i], w);
    sum7 = add(sum7, x[at7 + i], w);
    sum8 = add(sum8, x[at8 + i], w);
    sum9 = add(sum9, x[at9 + i], w);
    sum10 = add(sum10, x[at10 + i], w);
    sum11 = add(sum11, x[at11 + i], w);
    sum12 = add(sum12, x[at12 + i], w);
    sum13 = add(sum13, x[at13 + i], w);
    sum14 = add(sum14, x[at14 + i], w);
    sum15 = add(sum15, x[at15 + i], w);
    sum16 = add(sum16, x[at16 + i], w);
    sum17 = add(sum17, x[at17 + i], w);
    sum18 = add(sum18, x[at18 + i], w);
    sum19 = add(sum19, x[at19 + i], w);
    sum20 = add(sum20, x[at20 + i], w);
    sum21 = add(sum21, x[at21 + i], w);
    sum22 = add(sum22, x[at22 + i], w);
    sum23 = add(sum23, x[at23 + i], w);
    sum24 = add(sum24, x[at24 + i], w);
    sum25 = add(sum25, x[at25 + i], w);
    sum26 = add(sum26, x[at26 + i], w);
    sum27 = add(sum27, x[at27 + i], w);
    sum28 = add(sum28, x[at28 + i], w);
    sum29 = add(sum29, x[at29 + i], w);
    sum30 = add(sum30, x[at30 + i], w);
    sum31 = add(sum31, x[at31 + i], w);
  }
  var sums = array<vec2i, 32>(
    sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7,
    sum8, sum9, sum10, sum11, sum12, sum13, sum14, sum15,
    sum16, sum17, sum18, sum19, sum20, sum21, sum22, sum23,
    sum24, sum25, sum26, sum27, sum28, sum29, sum30, sum31,
  );
  let rows = min(ROWS, params.m - row);
  for (var i = 0u; i < rows; i++) {
    let sum = sums[i] + select(128, 0, SIGNED == 1u) * total;
    store(row + i, n, sum.x);
    store(row + i, n + LANES, sum.y);
  }
}
