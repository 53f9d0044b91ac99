// out = the images with a border of zeros: out[row, top + y, left + x, c] = x[row, y, x, c]. Every window then lies
// inside the padded image, so convolution kernels need no bounds checks. One workgroup per line: no index division.
// Grid: (1, lines per padded image, rows).
// No product: memory-bound.

struct Params {
  height: u32, // lines of an image
  line: u32, // elements of a line
  padded_line: u32, // elements of a padded line
  top: u32, // lines of border above
  left: u32, // elements of border to the left
}

@group(0) @binding(0) var<uniform> params: Params; // params: lines, line size, padded line size, border
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (rows, height, line) f32
@group(0) @binding(2) var<storage, read_write> out: array<f32>; // out: (rows, padded height, padded line) f32

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let y = group.y - params.top; // wraps above the image
  let inside = y < params.height;
  let begin = (group.z * params.height + select(0u, y, inside)) * params.line;
  let end = params.padded_line;
  let line = params.line;
  let left = params.left;
  let filled = (group.z * groups.y + group.y) * end;
  for (var i = lane; i < end; i += 64u) {
    let at = i - left; // wraps to the left of the image
    let within = at < line;
    let value = x[begin + select(0u, at, within)];
    out[filled + i] = select(0.0, value, inside && within);
  }
}
