// sums[m, g, e] = sum over i = 0 ... 15 of x[m, 16 g + i] * (sign i of code word e), with the words of `codeword` (SPEC.md,
// 4.8). Inputs past K are left out.
//
// The lookup table of random_matmul_sign_sums. The number of groups g is a multiple of 4: one group per byte of a word,
// up to the last word. One invocation computes the 32 sums of a coset: its 16 signed inputs under a fast Walsh-Hadamard
// transform, and the negations.
// Grid: (ceil(G / 4), M, 1) for G groups.

struct Params {
  m: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows, inputs per row
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read_write> sums: array<vec2f>; // sums: (M, G, 128) pairs, G = 4 * ceil(K / 64)

// The cosets of the code, two in a u32, the first one low.
const COSETS = vec4u(0x6ac00000u, 0x24e8c6a0u, 0xb8487228u, 0x5c601e88u);

// Inputs k ... k + 3 of the row that starts at `at`, 0 past its end, negated where the lowest bits of `signs` are set.
fn inputs(at: u32, k: u32, signs: u32) -> vec4f {
  let places = vec4u(k, k + 1u, k + 2u, k + 3u);
  let place = at + min(places, vec4u(params.k - 1u));
  let v = select(vec4f(), vec4f(x[place.x], x[place.y], x[place.z], x[place.w]), places < vec4u(params.k));
  return select(v, -v, (vec4u(signs) & vec4u(1u, 2u, 4u, 8u)) != vec4u());
}

// The Walsh-Hadamard transform of four.
fn transform(v: vec4f) -> vec4f {
  let a = vec4f(v.x + v.y, v.x - v.y, v.z + v.w, v.z - v.w);
  return vec4f(a.xy + a.zw, a.xy - a.zw);
}

fn store(to: u32, v: vec4f) {
  sums[to] = vec2f(v.x, -v.x);
  sums[to + 1u] = vec2f(v.y, -v.y);
  sums[to + 2u] = vec2f(v.z, -v.z);
  sums[to + 3u] = vec2f(v.w, -v.w);
}

@compute @workgroup_size(32)
fn main(@builtin(workgroup_id) word: vec3u, @builtin(local_invocation_index) lane: u32) {
  let words = (params.k + 63u) / 64u;
  let coset = lane % 8u;
  let signs = COSETS[coset / 2u] >> (16u * (coset % 2u));
  let at = word.y * params.k;
  let group = 4u * word.x + lane / 8u;
  let k = 16u * group;
  let a = transform(inputs(at, k, signs));
  let b = transform(inputs(at, k + 4u, signs >> 4u));
  let c = transform(inputs(at, k + 8u, signs >> 8u));
  let d = transform(inputs(at, k + 12u, signs >> 12u));
  let to = (word.y * 4u * words + group) * 128u + 16u * coset;
  store(to, (a + b) + (c + d));
  store(to + 4u, (a - b) + (c - d));
  store(to + 8u, (a + b) - (c + d));
  store(to + 12u, (a - b) - (c - d));
}
