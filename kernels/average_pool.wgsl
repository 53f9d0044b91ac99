// y[row, oy, ox, c] = mean of channel c over the window. One workgroup per output line.
// Sums run over the lines of the window, then along each line, in f32.
// Grid: (1, windows down, rows).
// No product: memory-bound.

struct Params {
  height: u32,
  line: u32,
  channels: u32,
  out_line: u32,
  kernel_y: u32,
  kernel_x: u32,
  stride_y: u32,
  stride_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: lines, line size, channels, output line size, window
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: images (rows, height, width, channels) f32
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // y: (rows, windows down, windows across, channels) f32

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let channels = params.channels;
  let begin = (group.z * params.height + group.y * params.stride_y) * params.line;
  let filled = (group.z * groups.y + group.y) * params.out_line;
  let share = 1.0 / f32(params.kernel_y * params.kernel_x);
  for (var i = lane; i < params.out_line; i += 64u) {
    let ox = i / channels;
    let first = begin + i + ox * (params.stride_x - 1u) * channels;
    var sum = 0.0;
    for (var ky = 0u; ky < params.kernel_y; ky++) {
      for (var kx = 0u; kx < params.kernel_x; kx++) {
        sum += x[first + ky * params.line + kx * channels];
      }
    }
    y[filled + i] = sum * share;
  }
}
