// out = the images with a border of zeros: out[row, top + y, left + x, c] = x[row, y, x, c]. What windows over an image read then
// lies in the image, and no kernel of a convolution asks where an edge is. One workgroup a line: no index needs a division.
// Grid: (1, lines of a padded image, rows).

struct Params {
  height: u32,
  line: u32,
  padded_line: u32,
  top: u32,
  left: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: lines of an image, elements of a line, of a padded line; lines above, elements to the left
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
    let at = i - left; // wraps to the left of it
    let within = at < line;
    let value = x[begin + select(0u, at, within)];
    out[filled + i] = select(0.0, value, inside && within);
  }
}
