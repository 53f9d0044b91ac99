//! include window_tile
// dx[q, c] = sum over taps and filters of w[tap * channels + c, n] * dz[p, n], where p is the position whose window has
// pixel q under this tap: the input gradient of conv.
// One dispatch per phase: with stride s, pixels s apart use the same taps, s apart.
// Here the tile's positions are pixels, its outputs are channels, and its sums run over taps and filters.
// Tile and grid: see shaders/include/window_tile.wgsl.

@group(0) @binding(0) var<uniform> params: Params; // params: geometry
@group(0) @binding(1) var<storage, read> dz: array<f32>; // dz: (rows, height, width, filters) f32 with border
@group(0) @binding(2) var<storage, read> w: array<f32>; // w: (taps * channels, filters) row-major f32
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // dx: (rows, height, width, channels) f32

// Channels n ... n + 3 and n + 4 ... n + 7. Past the end the last channel repeats; its sums are never stored.
var<private> near: vec4u;
var<private> far: vec4u;

fn read_input(at: u32) -> f32 {
  return dz[at];
}

fn filters_begin(n: u32) {
  let last = vec4u(params.n - 1u);
  near = min(vec4u(n, n + 1u, n + 2u, n + 3u), last);
  far = min(vec4u(n + 4u, n + 5u, n + 6u, n + 7u), last);
}

fn weights_at(e: Element, channel: vec4u) -> vec4f {
  let at = (channel + e.tap * params.n) * params.run + e.c;
  return vec4f(w[at.x], w[at.y], w[at.z], w[at.w]);
}

fn filters_near(k: u32, e: array<Element, 4>) -> mat4x4f {
  return mat4x4f(weights_at(e[0], near), weights_at(e[1], near), weights_at(e[2], near), weights_at(e[3], near));
}

fn filters_far(k: u32, e: array<Element, 4>) -> mat4x4f {
  return mat4x4f(weights_at(e[0], far), weights_at(e[1], far), weights_at(e[2], far), weights_at(e[3], far));
}

fn store(at: u32, unit: u32, sum: f32) {
  dx[at] = sum;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  tile(group, groups, lane);
}
