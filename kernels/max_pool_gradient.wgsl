// dx[row, iy, ix, c] = sum of dy over the windows whose maximum is this pixel (the first one in case of a tie): the
// gradient of max_pool. It finds the maximum in x again, so the forward pass stores nothing for it.
//
// If windows do not overlap, an invocation owns a cell: a window and the gap to the next ones. If they overlap, it owns
// a pixel and checks every window that contains it; sums run over the windows downwards, then across, in f32.
// One workgroup per line of cells or pixels. Without overlap, one invocation per pixel took six times as long as cells
// on SwiftShader (2 x 2).
// Grid: (1, cells down, rows), or (1, height, rows) with OVERLAP.
// No product: memory-bound.

struct Params {
  height: u32,
  line: u32,
  channels: u32,
  down: u32,
  across: u32,
  kernel_y: u32,
  kernel_x: u32,
  stride_y: u32,
  stride_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: lines, line size, channels, windows, window
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: images (rows, height, width, channels) f32
@group(0) @binding(2) var<storage, read> dy: array<f32>; // dy: (rows, windows down, windows across, channels) f32
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // dx: images (rows, height, width, channels) f32

override OVERLAP: bool = false;

// The first window that reaches coordinate `at`.
fn first_window(at: u32, kernel: u32, stride: u32) -> u32 {
  return select(0u, (at + stride - kernel) / stride, at >= kernel);
}

// Whether the element at `own` is the first maximum of the window that starts at `first`.
fn is_largest(own: u32, first: u32) -> bool {
  let value = x[own];
  var largest = true; // no early return: divergent lanes are slow on software adapters
  for (var ky = 0u; ky < params.kernel_y; ky++) {
    for (var kx = 0u; kx < params.kernel_x; kx++) {
      let at = first + ky * params.line + kx * params.channels;
      let other = x[at];
      largest = largest && (other < value || (other == value && at >= own));
    }
  }
  return largest;
}

// Gradients of the pixels of a line of windows.
fn cells(group: vec3u, lane: u32) {
  let channels = params.channels;
  let line = params.line;
  let stride_x = params.stride_x * channels;
  let top = group.y * params.stride_y;
  let image = group.z * params.height * line;
  let kernel_x = params.kernel_x * channels;
  let bottom = min(params.stride_y, params.height - top);
  let across = (line + stride_x - 1u) / stride_x;
  for (var i = lane; i < across * channels; i += 64u) {
    let cell = i / channels;
    let left = cell * stride_x; // offset of the cell in its line, channel included
    let first = image + top * line + left + i - cell * channels;
    let seen = group.y < params.down && cell < params.across;
    var largest = first;
    if (seen) {
      var value = x[first];
      for (var ky = 0u; ky < params.kernel_y; ky++) {
        for (var kx = 0u; kx < kernel_x; kx += channels) {
          let at = first + ky * line + kx;
          let other = x[at];
          largest = select(largest, at, other > value);
          value = max(other, value);
        }
      }
    }
    let window = ((group.z * params.down + group.y) * params.across + cell) * channels + i - cell * channels;
    let d = select(0.0, dy[select(0u, window, seen)], seen);
    let right = min(stride_x, line - left);
    for (var ky = 0u; ky < bottom; ky++) {
      for (var kx = 0u; kx < right; kx += channels) {
        let at = first + ky * line + kx;
        dx[at] = select(0.0, d, at == largest);
      }
    }
  }
}

// Gradients of a line of pixels.
fn pixels(group: vec3u, lane: u32) {
  let channels = params.channels;
  let image = group.z * params.height * params.line;
  let filled = image + group.y * params.line;
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
        let first = image + oy * params.stride_y * params.line + ox * params.stride_x * channels + c;
        let d = dy[((group.z * params.down + oy) * params.across + ox) * channels + c];
        sum += select(0.0, d, is_largest(filled + i, first));
      }
    }
    dx[filled + i] = sum;
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  if (OVERLAP) {
    pixels(group, lane);
  } else {
    cells(group, lane);
  }
}
