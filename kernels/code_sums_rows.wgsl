// sums[b, g, e] = sum over i = 0 ... 15 of x[., 16 g + i] * (sign i of code word e), for the four rows 4 b ... 4 b + 3 side
// by side, with the words of `codeword` (SPEC.md, 4.8). Inputs past K are left out; rows past M repeat the last one.
//
// The lookup table of random_matmul_sign_sums_rows. The number of groups g is a multiple of 4: one group per byte of a
// word, up to the last word. One invocation computes the 32 sums of a coset: its 16 signed inputs under a fast
// Walsh-Hadamard transform, and the negations.
// Grid: (ceil(G / 4), ceil(M / 4), 1) for G groups.

struct Params {
  m: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows, inputs per row
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>; // sums: (ceil(M / 4), G, 256) vec4f, G = 4 * ceil(K / 64)

// The cosets of the code, two in a u32, the first one low.
const COSETS = vec4u(0x6ac00000u, 0x24e8c6a0u, 0xb8487228u, 0x5c601e88u);

// Input k of the four rows that start at `at`, 0 past their end, negated if bit `i` of `signs` is set.
fn inputs(at: vec4u, k: u32, signs: u32, i: u32) -> vec4f {
  let place = at + min(k + i, params.k - 1u);
  let v = select(vec4f(), vec4f(x[place.x], x[place.y], x[place.z], x[place.w]), k + i < params.k);
  return select(v, -v, ((signs >> i) & 1u) != 0u);
}

// The Walsh-Hadamard transform of inputs k + i, i = first ... first + 3.
fn transform(at: vec4u, k: u32, signs: u32, first: u32) -> mat4x4f {
  let v0 = inputs(at, k, signs, first);
  let v1 = inputs(at, k, signs, first + 1u);
  let v2 = inputs(at, k, signs, first + 2u);
  let v3 = inputs(at, k, signs, first + 3u);
  let a = v0 + v1;
  let b = v0 - v1;
  let c = v2 + v3;
  let d = v2 - v3;
  return mat4x4f(a + c, b + d, a - c, b - d);
}

fn store(to: u32, v: mat4x4f) {
  sums[to] = v[0];
  sums[to + 1u] = -v[0];
  sums[to + 2u] = v[1];
  sums[to + 3u] = -v[1];
  sums[to + 4u] = v[2];
  sums[to + 5u] = -v[2];
  sums[to + 6u] = v[3];
  sums[to + 7u] = -v[3];
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) word: vec3u, @builtin(local_invocation_index) lane: u32) {
  let words = (params.k + 63u) / 64u;
  let coset = lane % 8u;
  let signs = COSETS[coset / 2u] >> (16u * (coset % 2u));
  let at = min(4u * word.y + vec4u(0u, 1u, 2u, 3u), vec4u(params.m - 1u)) * params.k;
  let group = 4u * word.x + lane / 8u;
  let k = 16u * group;
  let a = transform(at, k, signs, 0u);
  let b = transform(at, k, signs, 4u);
  let c = transform(at, k, signs, 8u);
  let d = transform(at, k, signs, 12u);
  let to = (word.y * 4u * words + group) * 256u + 32u * coset;
  store(to, (a + b) + (c + d));
  store(to + 8u, (a - b) + (c - d));
  store(to + 16u, (a + b) - (c + d));
  store(to + 24u, (a - b) - (c - d));
}
