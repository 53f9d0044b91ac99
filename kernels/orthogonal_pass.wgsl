//! use stream activation
//! include epilogue
// One pass of a Walsh-Hadamard transform with the sign flips of `orthogonal` (src/weights/SPEC.md, 4.5), over every
// block of every row: target = scale * flip (butterfly over BITS bits of the index) flip source. Elements past the end
// of the source count as 0.
//
// A transform of P elements takes two or three passes over all bits of the index. Two transforms share a pass over the
// same bits, with their flips in between. An invocation owns 64 elements in registers: 64 / 2^BITS butterflies.
// Neighbouring lanes own neighbouring elements unless the butterfly covers the lowest bits. No workgroup memory.
// Grid: M * blocks * P / 64 invocations, 32 per workgroup (linearGrid).

struct Params {
  count: u32, // invocations
  blocks: u32, // per row
  log_p: u32,
  shift: u32, // lowest bit of the butterfly
  signs: u32, // which of the three diagonals
  source_stride: u32, // elements from row to row
  source_block: u32, // elements from block to block
  source_end: u32, // elements of a row
  target_stride: u32,
  target_block: u32,
  target_end: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: invocations, layout, bits and diagonal of the pass
@group(0) @binding(1) var<storage, read> source: array<f32>; // source: row-major f32
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (blocks) two u32 a block
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(5) var<storage, read_write> out: array<f32>; // out: row-major f32

override BITS: u32 = 6u; // 3 ... 6
override FLIP: u32 = 0u; // 0: none; 1: before; 2: between two butterflies; 3: after
override FIRST: u32 = 1u; // 1: the source ends within a block; 0: it is memory of whole blocks
override LAST: u32 = 1u; // 1: the target ends within a block and the epilogue runs; 0: it is memory of whole blocks

const WORDS_OF_A_DIAGONAL = 2048u;

// 64 elements; element 16 i + 4 j + l is block[i][j][l].
alias Block = array<mat4x4f, 4>;

// Butterflies over the columns of a matrix: one bit of the column index, or two.
fn pairs(m: mat4x4f) -> mat4x4f {
  return mat4x4f(m[0] + m[1], m[0] - m[1], m[2] + m[3], m[2] - m[3]);
}

fn fours(m: mat4x4f) -> mat4x4f {
  let a = pairs(m);
  return mat4x4f(a[0] + a[2], a[1] + a[3], a[0] - a[2], a[1] - a[3]);
}

fn butterfly_of(m: mat4x4f) -> mat4x4f {
  let a = transpose(fours(transpose(m)));
  if (BITS == 3u) {
    return pairs(a);
  }
  return fours(a);
}

fn butterfly(v: Block) -> Block {
  let a = Block(butterfly_of(v[0]), butterfly_of(v[1]), butterfly_of(v[2]), butterfly_of(v[3]));
  if (BITS < 5u) {
    return a;
  }
  let c = Block(a[0] + a[1], a[0] - a[1], a[2] + a[3], a[2] - a[3]);
  if (BITS == 5u) {
    return c;
  }
  return Block(c[0] + c[2], c[1] + c[3], c[0] - c[2], c[1] - c[3]);
}

// Flips the signs of four elements where the lowest four bits are set.
fn flip_four(v: vec4f, bits: u32) -> vec4f {
  return bitcast<vec4f>(bitcast<vec4u>(v) ^ ((vec4u(bits) << vec4u(31u, 30u, 29u, 28u)) & vec4u(0x80000000u)));
}

fn flip_sixteen(m: mat4x4f, bits: u32) -> mat4x4f {
  return mat4x4f(
    flip_four(m[0], bits),
    flip_four(m[1], bits >> 4u),
    flip_four(m[2], bits >> 8u),
    flip_four(m[3], bits >> 12u),
  );
}

fn flip(v: Block, bits: vec2u) -> Block {
  return Block(
    flip_sixteen(v[0], bits.x),
    flip_sixteen(v[1], bits.x >> 16u),
    flip_sixteen(v[2], bits.y),
    flip_sixteen(v[3], bits.y >> 16u),
  );
}

// Signs of 32 elements from `first` on: 2^(5 - BITS) butterflies, `step` apart, or half a butterfly if BITS is 6.
fn signs_of(key: vec3u, first: u32, step: u32) -> u32 {
  let words = params.signs * WORDS_OF_A_DIAGONAL;
  if (BITS >= 5u) {
    return stream_word(key, words + first);
  }
  let size = 1u << min(BITS, 4u); // naga evaluates this for every BITS and rejects 1u << 32 below
  var bits = 0u;
  for (var i = 0u; i < 32u / size; i++) {
    let at = (first + i * step) * size;
    bits |= ((stream_word(key, words + at / 32u) >> (at % 32u)) & ((1u << size) - 1u)) << (i * size);
  }
  return bits;
}

struct Place {
  step: u32, // between an invocation's butterflies
  first: u32, // an invocation's first butterfly
  row: u32,
  part: u32,
}

// Index within the block of element `i` of an invocation's 64.
fn index_of(p: Place, i: u32) -> u32 {
  let butterfly = p.first + (i >> BITS) * p.step;
  let low = butterfly & ((1u << params.shift) - 1u);
  return low | ((i & ((1u << BITS) - 1u)) << params.shift) | ((butterfly - low) << BITS);
}

fn load_one(at: u32, index: u32, end: u32) -> f32 {
  if (FIRST == 0u) {
    return source[at + index];
  }
  return select(0.0, source[at + min(index, end - 1u)], index < end);
}

fn load_four(p: Place, at: u32, end: u32, i: u32) -> vec4f {
  let index = index_of(p, i);
  let next = 1u << params.shift;
  return vec4f(
    load_one(at, index, end),
    load_one(at, index + next, end),
    load_one(at, index + 2u * next, end),
    load_one(at, index + 3u * next, end),
  );
}

fn load_sixteen(p: Place, at: u32, end: u32, i: u32) -> mat4x4f {
  return mat4x4f(
    load_four(p, at, end, i),
    load_four(p, at, end, i + 4u),
    load_four(p, at, end, i + 8u),
    load_four(p, at, end, i + 12u),
  );
}

fn store_four(at: u32, v: vec4f) {
  let next = 1u << params.shift;
  out[at] = v.x;
  out[at + next] = v.y;
  out[at + 2u * next] = v.z;
  out[at + 3u * next] = v.w;
}

fn store_sixteen(p: Place, at: u32, i: u32, m: mat4x4f) {
  store_four(at + index_of(p, i), m[0]);
  store_four(at + index_of(p, i + 4u), m[1]);
  store_four(at + index_of(p, i + 8u), m[2]);
  store_four(at + index_of(p, i + 12u), m[3]);
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let invocation = id.x + id.y * grid.x * 32u;
  if (invocation >= params.count) {
    return;
  }
  let log_step = params.log_p - 6u;
  let whole = invocation >> log_step;
  let row = whole / params.blocks;
  let part = whole - row * params.blocks;
  let within = invocation & ((1u << log_step) - 1u);
  let step = 1u << log_step;
  let place = Place(step, within, row, part);
  let from_block = part * params.source_block;
  let from_row = row * params.source_stride + from_block;
  let from_end = params.source_end - from_block;
  var v = Block(
    load_sixteen(place, from_row, from_end, 0u),
    load_sixteen(place, from_row, from_end, 16u),
    load_sixteen(place, from_row, from_end, 32u),
    load_sixteen(place, from_row, from_end, 48u),
  );
  var bits = vec2u();
  if (FLIP > 0u) {
    let key = stream_key(keys[part]);
    if (BITS == 6u) {
      bits = vec2u(signs_of(key, 2u * within, 0u), signs_of(key, 2u * within + 1u, 0u));
    } else {
      bits = vec2u(
        signs_of(key, within, place.step),
        signs_of(key, within + (place.step << (5u - min(BITS, 5u))), place.step),
      );
    }
  }
  if (FLIP == 1u) {
    v = flip(v, bits);
  }
  v = butterfly(v);
  if (FLIP == 2u) {
    v = butterfly(flip(v, bits));
  }
  if (FLIP == 3u) {
    v = flip(v, bits);
  }
  let to_block = part * params.target_block;
  let to_row = row * params.target_stride + to_block;
  let to_end = params.target_end - to_block;
  if (LAST == 0u) {
    store_sixteen(place, to_row, 0u, v[0]);
    store_sixteen(place, to_row, 16u, v[1]);
    store_sixteen(place, to_row, 32u, v[2]);
    store_sixteen(place, to_row, 48u, v[3]);
    return;
  }
  // A loop, so that the activation is compiled only once.
  for (var i = 0u; i < 64u; i++) {
    let index = index_of(place, i);
    if (index < to_end) {
      let result = finish(to_block + index, v[i / 16u][(i / 4u) % 4u][i % 4u] * params.scale);
      out[to_row + index] = result;
    }
  }
}
