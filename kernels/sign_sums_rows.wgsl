// sums[b, g, e] = sum over i = 0 ... 7 of x[., 8 g + i], negated where bit i of e is set, for the four rows 4 b ... 4 b + 3
// side by side. Inputs past K are left out; rows past M repeat the last one.
//
// The lookup table of random_matmul_sign_sums_rows. The number of groups g is a multiple of 4: one group per byte of a
// sign word, up to the last word. One invocation computes the 16 sums of one low nibble of e.
// Grid: (ceil(G / 4), ceil(M / 4), 1) for G groups.

struct Params {
  m: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows, inputs per row
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>; // sums: (ceil(M / 4), G, 256) vec4f, G = 4 * ceil(K / 32)

// Input k of the four rows that start at `at`, or 0 past its end.
fn inputs(at: vec4u, k: u32) -> vec4f {
  let place = at + min(k, params.k - 1u);
  return select(vec4f(), vec4f(x[place.x], x[place.y], x[place.z], x[place.w]), k < params.k);
}

fn signed(v: vec4f, e: u32, bit: u32) -> vec4f {
  return select(v, -v, (e & bit) != 0u);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let group = id.x / 16u;
  let low = id.x % 16u;
  let groups = (params.k + 31u) / 32u * 4u;
  if (group >= groups) {
    return;
  }
  let at = min(4u * id.y + vec4u(0u, 1u, 2u, 3u), vec4u(params.m - 1u)) * params.k;
  let k = 8u * group;
  let near = (signed(inputs(at, k), low, 1u) + signed(inputs(at, k + 1u), low, 2u))
    + (signed(inputs(at, k + 2u), low, 4u) + signed(inputs(at, k + 3u), low, 8u));
  let far0 = inputs(at, k + 4u);
  let far1 = inputs(at, k + 5u);
  let far2 = inputs(at, k + 6u);
  let far3 = inputs(at, k + 7u);
  let first = (id.y * groups + group) * 256u + low;
  for (var high = 0u; high < 16u; high++) {
    let far = (signed(far0, high, 1u) + signed(far1, high, 2u)) + (signed(far2, high, 4u) + signed(far3, high, 8u));
    sums[first + 16u * high] = near + far;
  }
}
