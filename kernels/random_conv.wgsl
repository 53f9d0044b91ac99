//! use stream weights activation
//! include epilogue
//! include four_units
//! include window_tile
// y[p, n] = g(u[n] * z[p, n] + b[n]),  z[p, n] = scale * sum over taps and channels of w[n, k] * window[p, k]:
// a convolution with random filters. The integer weights w are regenerated; k = tap * channels + channel.
// Tile and grid: see shaders/include/window_tile.wgsl.

@group(0) @binding(0) var<uniform> params: Params; // params: geometry, scale of the integer weights
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: images (rows, height, width, channels) f32 with border
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per filter
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // y: (positions, N) f32

const NEXT_UNIT = 1u;

var<private> near_key: array<vec3u, 4>;
var<private> far_key: array<vec3u, 4>;
var<private> near_word: vec4u;
var<private> far_word: vec4u;

fn read_input(at: u32) -> f32 {
  return x[at];
}

fn filters_begin(n: u32) {
  near_key = keys_from(n);
  far_key = keys_from(n + 4u);
}

fn filters_near(k: u32, e: array<Element, 4>) -> mat4x4f {
  let quad = (k / 4u) % QUADS_PER_WORD;
  if (quad == 0u) {
    near_word = words_of(near_key, k / WEIGHTS_PER_WORD);
  }
  return weights_of(near_word, quad);
}

fn filters_far(k: u32, e: array<Element, 4>) -> mat4x4f {
  let quad = (k / 4u) % QUADS_PER_WORD;
  if (quad == 0u) {
    far_word = words_of(far_key, k / WEIGHTS_PER_WORD);
  }
  return weights_of(far_word, quad);
}

fn store(at: u32, unit: u32, sum: f32) {
  let out = finish(unit, sum * params.scale);
  y[at] = out;
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
