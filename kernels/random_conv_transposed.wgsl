//! use stream weights
//! include window_tile
// dx[q, c] = scale * sum over taps and filters of w[n, tap * channels + c] * dz[p, n], where p is the position whose
// window has pixel q under this tap: the input gradient of random_conv, with the same integer weights w regenerated.
// One dispatch per phase: with stride s, pixels s apart use the same taps, s apart.
// Here the tile's positions are pixels, its outputs are channels, and its sums run over taps and filters.
// Tile and grid: see shaders/include/window_tile.wgsl.

@group(0) @binding(0) var<uniform> params: Params; // params: geometry, scale of the integer weights
@group(0) @binding(1) var<storage, read> dz: array<f32>; // dz: (rows, height, width, filters) f32 with border
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (filters) two u32 per filter
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // dx: (rows, height, width, channels) f32

override ALIGNED: bool = false; // whether the number of channels is a multiple of four

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;

var<private> first_channel: u32;
var<private> key: array<vec3u, 4>; // of the current four elements

fn read_input(at: u32) -> f32 {
  return dz[at];
}

fn filters_begin(n: u32) {
  first_channel = n;
}

// Weights k ... k + 3 of a filter. They lie in one quad, or in two if the channels are not a multiple of four.
fn four(key: vec3u, k: u32) -> vec4f {
  let quad = k / 4u;
  let a = weights_quad(weights_word(key, quad / QUADS_PER_WORD), quad % QUADS_PER_WORD);
  let within = k % 4u;
  if (ALIGNED || within == 0u) {
    return a;
  }
  let next = quad + 1u;
  let d = weights_quad(weights_word(key, next / QUADS_PER_WORD), next % QUADS_PER_WORD);
  if (within == 1u) {
    return vec4f(a.yzw, d.x);
  }
  if (within == 2u) {
    return vec4f(a.zw, d.xy);
  }
  return vec4f(a.w, d.xyz);
}

// For each element (a filter under a tap): the weights of four channels from `channel` on.
fn weights_of(e: array<Element, 4>, channel: u32) -> mat4x4f {
  return mat4x4f(
    four(key[0], e[0].tap * params.n + channel),
    four(key[1], e[1].tap * params.n + channel),
    four(key[2], e[2].tap * params.n + channel),
    four(key[3], e[3].tap * params.n + channel),
  );
}

fn filters_near(k: u32, e: array<Element, 4>) -> mat4x4f {
  key = array<vec3u, 4>(
    stream_key(keys[e[0].c]),
    stream_key(keys[e[1].c]),
    stream_key(keys[e[2].c]),
    stream_key(keys[e[3].c]),
  );
  return weights_of(e, first_channel);
}

fn filters_far(k: u32, e: array<Element, 4>) -> mat4x4f {
  return weights_of(e, first_channel + 4u);
}

fn store(at: u32, unit: u32, sum: f32) {
  dx[at] = sum * params.scale;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  weights_prepare(lane, LANES);
  tile(group, groups, lane);
}
