//! use stream weights
//! include field
// dx[m, k] = sum over the units n whose window contains input k of scale[n] * w[n, k] * dz[m, n]: the input gradient of
// random_fields, with the same integer weights w.
//
// One invocation owns four rows of one input and checks for each unit whether its window contains the input: one read
// shared by all lanes, two comparisons. Sums follow the order of the units in `fields`, in f32, whatever the number of
// rows. Grid: (ceil(K / 64), ceil(M / 4), 1), with K folded into x and z if it exceeds the limit.

@group(0) @binding(0) var<uniform> params: Params; // params: shapes
@group(0) @binding(1) var<storage, read> dz: array<f32>; // dz: (M, N) row-major f32
@group(0) @binding(2) var<storage, read> fields: array<vec4u>; // fields: (2 N) windows, then for hats the (64) table
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // dx: (M, K) row-major f32

fn store(row: u32, k: u32, sum: f32) {
  if (row < params.m) {
    dx[row * params.k + k] = sum;
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  weights_prepare(lane, 64u);
  let k = (group.x + group.z * groups.x) * 64u + lane;
  if (k >= params.k) {
    return;
  }
  let pixel = k / params.channels;
  let channel = k % params.channels;
  let y = pixel / params.width;
  let x = pixel % params.width;
  let row = 4u * group.y;
  let at = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(params.m - 1u)) * params.n;
  var sum = vec4f();
  for (var i = 0u; i < params.n; i++) {
    let field = field_at(i);
    if (y - field.top >= field.height || x - field.left >= field.width) { // differences wrap before the window
      continue;
    }
    var w: f32;
    if (HAT) {
      w = hat_at(field, y, x) * sign_of(stream_word(field.key, channel / 32u), channel);
    } else {
      w = weights_quad(weights_word(field.key, k / WEIGHTS_PER_WORD), (k / 4u) % QUADS_PER_WORD)[k % 4u];
    }
    let d = vec4f(dz[at.x + field.unit], dz[at.y + field.unit], dz[at.z + field.unit], dz[at.w + field.unit]);
    sum += field.scale * w * d;
  }
  store(row, k, sum.x);
  store(row + 1u, k, sum.y);
  store(row + 2u, k, sum.z);
  store(row + 3u, k, sum.w);
}
