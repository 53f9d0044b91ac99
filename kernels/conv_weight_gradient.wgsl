// parts[s, k, n] = sum over the positions p of slice s of window[p, k] * dz[p, n]: the weight gradient of conv, one
// slice at a time. sum_blocks adds the slices. k = tap * channels + channel. The images already have their border
// (pad_image).
//
// One invocation owns 8 k x 8 n of one slice in registers. Sums run over positions in rising order, in f32. No barrier.
// Grid: linearGrid(slices * ceil(K / 8) * ceil(N / 8), 64).

struct Params {
  positions: u32, // over all images
  slice: u32, // positions per slice
  slices: u32,
  width: u32, // positions per line
  height: u32, // lines of positions per image
  k: u32,
  n: u32,
  step_x: u32, // elements of x from one position to the next
  step_y: u32,
  step_image: u32,
  channels: u32,
  taps_x: u32,
  tap_y: u32, // elements of x from one tap to the next
  tap_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: geometry
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: images (rows, height, width, channels) f32 with border
@group(0) @binding(2) var<storage, read> dz: array<f32>; // dz: (positions, N) f32
@group(0) @binding(3) var<storage, read_write> parts: array<f32>; // parts: (slices, K, N) f32

// Offset of element `index` of a window from the window's first element, clamped to the last element.
fn offset_of(index: u32) -> u32 {
  let k = min(index, params.k - 1u);
  let tap = k / params.channels;
  let ty = tap / params.taps_x;
  return ty * params.tap_y + (tap - ty * params.taps_x) * params.tap_x + k - tap * params.channels;
}

fn store(at: u32, n: u32, near: vec4f, far: vec4f) {
  for (var j = 0u; j < min(8u, params.n - n); j++) {
    parts[at + n + j] = select(far[j & 3u], near[j & 3u], j < 4u);
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = id.x + id.y * workgroups.x * 64u;
  let tiles_n = (params.n + 7u) / 8u;
  let tiles = tiles_n * ((params.k + 7u) / 8u);
  let slice = i / tiles;
  if (slice >= params.slices) {
    return;
  }
  let tile = i - slice * tiles;
  let tile_k = tile / tiles_n;
  let k = tile_k * 8u;
  let n = (tile - tile_k * tiles_n) * 8u;
  let offset0 = offset_of(k + 0u);
  let offset1 = offset_of(k + 1u);
  let offset2 = offset_of(k + 2u);
  let offset3 = offset_of(k + 3u);
  let offset4 = offset_of(k + 4u);
  let offset5 = offset_of(k + 5u);
  let offset6 = offset_of(k + 6u);
  let offset7 = offset_of(k + 7u);
  let last_n = vec4u(params.n - 1u);
  let near_n = min(vec4u(n, n + 1u, n + 2u, n + 3u), last_n);
  let far_n = min(vec4u(n + 4u, n + 5u, n + 6u, n + 7u), last_n);
  var near0 = vec4f();
  var far0 = vec4f();
  var near1 = vec4f();
  var far1 = vec4f();
  var near2 = vec4f();
  var far2 = vec4f();
  var near3 = vec4f();
  var far3 = vec4f();
  var near4 = vec4f();
  var far4 = vec4f();
  var near5 = vec4f();
  var far5 = vec4f();
  var near6 = vec4f();
  var far6 = vec4f();
  var near7 = vec4f();
  var far7 = vec4f();
  let begin = slice * params.slice;
  let end = min(begin + params.slice, params.positions);
  // Offset of the slice's first position.
  let line = begin / params.width;
  let image = line / params.height;
  var px = begin - line * params.width;
  var py = line - image * params.height;
  let width = params.width;
  let height = params.height;
  let units = params.n;
  let step_x = params.step_x;
  let next_line = params.step_y - width * step_x;
  let next_image = params.step_image - height * params.step_y;
  var at = image * params.step_image + py * params.step_y + px * step_x;
  var at_dz = begin * units;
  for (var p = begin; p < end; p++) {
    let near = vec4f(dz[at_dz + near_n.x], dz[at_dz + near_n.y], dz[at_dz + near_n.z], dz[at_dz + near_n.w]);
    let far = vec4f(dz[at_dz + far_n.x], dz[at_dz + far_n.y], dz[at_dz + far_n.z], dz[at_dz + far_n.w]);
    let v0 = x[at + offset0];
    near0 += v0 * near;
    far0 += v0 * far;
    let v1 = x[at + offset1];
    near1 += v1 * near;
    far1 += v1 * far;
    let v2 = x[at + offset2];
    near2 += v2 * near;
    far2 += v2 * far;
    let v3 = x[at + offset3];
    near3 += v3 * near;
    far3 += v3 * far;
    let v4 = x[at + offset4];
    near4 += v4 * near;
    far4 += v4 * far;
    let v5 = x[at + offset5];
    near5 += v5 * near;
    far5 += v5 * far;
    let v6 = x[at + offset6];
    near6 += v6 * near;
    far6 += v6 * far;
    let v7 = x[at + offset7];
    near7 += v7 * near;
    far7 += v7 * far;
    at_dz += units;
    at += step_x;
    px++;
    if (px == width) {
      px = 0u;
      py++;
      at += next_line;
      if (py == height) {
        py = 0u;
        at += next_image;
      }
    }
  }
  let first = (slice * params.k + k) * units;
  store(first, n, near0, far0);
  if (k + 1u < params.k) {
    store(first + 1u * units, n, near1, far1);
  }
  if (k + 2u < params.k) {
    store(first + 2u * units, n, near2, far2);
  }
  if (k + 3u < params.k) {
    store(first + 3u * units, n, near3, far3);
  }
  if (k + 4u < params.k) {
    store(first + 4u * units, n, near4, far4);
  }
  if (k + 5u < params.k) {
    store(first + 5u * units, n, near5, far5);
  }
  if (k + 6u < params.k) {
    store(first + 6u * units, n, near6, far6);
  }
  if (k + 7u < params.k) {
    store(first + 7u * units, n, near7, far7);
  }
}
