//! use activation
//! include window_tile
// y[p, n] = g(z[p, n] + b[n]),  z[p, n] = sum over taps and channels of w[k, n] * window[p, k], k = tap * channels + c:
// a convolution with stored filters.
// Tile and grid: see shaders/include/window_tile.wgsl.

@group(0) @binding(0) var<uniform> params: Params; // params: geometry
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: images (rows, height, width, channels) f32 with border
@group(0) @binding(2) var<storage, read> w: array<f32>; // w: (taps * channels, N) row-major f32
@group(0) @binding(3) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // y: (positions, N) f32

override EPILOGUE: u32 = 0u; // 0: y = z; 1: y = g(z + b)
override ACTIVATION: u32 = 0u;

// Filters n ... n + 3 and n + 4 ... n + 7. Past the end the last filter repeats; its sums are never stored.
var<private> near: vec4u;
var<private> far: vec4u;

fn read_input(at: u32) -> f32 {
  return x[at];
}

fn filters_begin(n: u32) {
  let last = vec4u(params.n - 1u);
  near = min(vec4u(n, n + 1u, n + 2u, n + 3u), last);
  far = min(vec4u(n + 4u, n + 5u, n + 6u, n + 7u), last);
}

fn weights_at(k: u32, unit: vec4u) -> vec4f {
  let at = unit + k * params.n;
  return vec4f(w[at.x], w[at.y], w[at.z], w[at.w]);
}

fn filters_near(k: u32, e: array<Element, 4>) -> mat4x4f {
  return mat4x4f(weights_at(k, near), weights_at(k + 1u, near), weights_at(k + 2u, near), weights_at(k + 3u, near));
}

fn filters_far(k: u32, e: array<Element, 4>) -> mat4x4f {
  return mat4x4f(weights_at(k, far), weights_at(k + 1u, far), weights_at(k + 2u, far), weights_at(k + 3u, far));
}

fn store(at: u32, unit: u32, sum: f32) {
  if (EPILOGUE == 0u) {
    y[at] = sum;
  } else {
    y[at] = activate(ACTIVATION, sum + b[unit]);
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  tile(group, groups, lane);
}
