// dx[row, iy, ix, c] = sum of dy over the windows that contain this pixel, divided by the window size: the gradient of
// average_pool. One workgroup per image line. Sums run over the windows downwards, then across, in f32.
// Grid: (1, height, rows).
// No product: memory-bound.

struct Params {
  line: u32,
  channels: u32,
  down: u32,
  across: u32,
  kernel_y: u32,
  kernel_x: u32,
  stride_y: u32,
  stride_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: line size, channels, windows, window
@group(0) @binding(1) var<storage, read> dy: array<f32>; // dy: (rows, windows down, windows across, channels) f32
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // dx: images (rows, height, width, channels) f32

// The first window that reaches coordinate `at`.
fn first_window(at: u32, kernel: u32, stride: u32) -> u32 {
  return select(0u, (at + stride - kernel) / stride, at >= kernel);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channels = params.channels;
  let filled = (group.z * groups.y + group.y) * params.line;
  let share = 1.0 / f32(params.kernel_y * params.kernel_x);
  let top = first_window(group.y, params.kernel_y, params.stride_y);
  let bottom = min(group.y / params.stride_y + 1u, params.down);
  for (var i = lane; i < params.line; i += 64u) {
    let ix = i / channels;
    let c = i - ix * channels;
    let left = first_window(ix, params.kernel_x, params.stride_x);
    let right = min(ix / params.stride_x + 1u, params.across);
    var sum = 0.0;
    for (var oy = top; oy < bottom; oy++) {
      for (var ox = left; ox < right; ox++) {
        sum += dy[((group.z * params.down + oy) * params.across + ox) * channels + c];
      }
    }
    dx[filled + i] = sum * share;
  }
}
