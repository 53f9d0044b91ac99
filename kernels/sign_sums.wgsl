// sums[m, g, e] = sum over i = 0 ... 7 of x[m, 8 g + i], negated where bit i of e is set. Inputs past K are left out.
//
// The lookup table of random_matmul_sign_sums. The number of groups g is a multiple of 4: one group per byte of a sign
// word, up to the last word. One invocation computes the 16 sums of one low nibble of e.
// Grid: (ceil(G / 4), M, 1) for G groups.

struct Params {
  m: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows, inputs per row
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read_write> sums: array<f32>; // sums: (M, G, 256) f32, G = 4 * ceil(K / 32)

// Input k of the row that starts at `at`, or 0 past its end.
fn input(at: u32, k: u32) -> f32 {
  return select(0.0, x[at + min(k, params.k - 1u)], k < params.k);
}

// The sum of the four elements, negated where the bits of `e` are set.
fn signed_sum(v: vec4f, e: u32) -> f32 {
  let s = select(v, -v, (vec4u(e) & vec4u(1u, 2u, 4u, 8u)) != vec4u());
  return (s.x + s.y) + (s.z + s.w);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let group = id.x / 16u;
  let low = id.x % 16u;
  let groups = (params.k + 31u) / 32u * 4u;
  if (group >= groups) {
    return;
  }
  let at = id.y * params.k;
  let k = 8u * group;
  let near = signed_sum(vec4f(input(at, k), input(at, k + 1u), input(at, k + 2u), input(at, k + 3u)), low);
  let far = vec4f(input(at, k + 4u), input(at, k + 5u), input(at, k + 6u), input(at, k + 7u));
  let first = (id.y * groups + group) * 256u + low;
  for (var high = 0u; high < 16u; high++) {
    sums[first + 16u * high] = near + signed_sum(far, high);
  }
}
