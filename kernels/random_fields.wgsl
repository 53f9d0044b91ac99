//! use stream weights activation
//! include epilogue
//! include field
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale[n] * sum over the window of unit n of w[n, k] * x[m, k]:
// random receptive fields, their integer weights w regenerated.
//
// One invocation owns ROWS rows of one unit: each weight is generated once for all of them. Lanes are units, sorted by
// window size, largest first. A window is one loop over its quads (for hats, its pixels), so that the lanes of a group
// loop about equally long. Sums run over k in rising order, in f32, whatever the number of rows.
// Grid: (ceil(N / 64), ceil(M / ROWS), 1).

@group(0) @binding(0) var<uniform> params: Params; // params: shapes
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32, K = (height, width, channels)
@group(0) @binding(2) var<storage, read> fields: array<vec4u>; // fields: (2 N) windows, then for hats the (64) table
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

override ROWS: u32 = 4u; // 1 or 4

// Input k of four rows; `at`: offsets of the rows.
fn inputs(at: vec4u, k: u32) -> vec4f {
  if (ROWS == 1u) {
    return vec4f(x[at.x + k], 0.0, 0.0, 0.0);
  }
  return vec4f(x[at.x + k], x[at.y + k], x[at.z + k], x[at.w + k]);
}

fn patch_sum(field: Field, at: vec4u) -> vec4f {
  var sum = vec4f();
  let stride = params.width * params.channels;
  let last = params.k - 1u;
  var begin = field.top * stride + field.left * params.channels;
  var end = begin + field.width * params.channels;
  var line = 0u;
  var quad = begin / 4u;
  loop {
    let k = 4u * quad;
    let ks = vec4u(k, k + 1u, k + 2u, k + 3u);
    let inside = (ks >= vec4u(begin)) & (ks < vec4u(end));
    let word = weights_word(field.key, quad / QUADS_PER_WORD);
    let w = select(vec4f(), weights_quad(word, quad % QUADS_PER_WORD), inside);
    sum += w.x * inputs(at, k);
    sum += w.y * inputs(at, min(k + 1u, last));
    sum += w.z * inputs(at, min(k + 2u, last));
    sum += w.w * inputs(at, min(k + 3u, last));
    quad++;
    if (4u * quad >= end) {
      line++;
      if (line >= field.height) {
        break;
      }
      begin += stride;
      end += stride;
      quad = begin / 4u;
    }
  }
  return sum;
}

fn hat_sum(field: Field, at: vec4u) -> vec4f {
  var sum = vec4f();
  let channels = params.channels;
  let right = field.left + field.width;
  let bottom = field.top + field.height;
  let first = stream_word(field.key, 0u); // signs of the first 32 channels
  var row = field.top;
  var column = field.left;
  var k = (row * params.width + column) * channels;
  loop {
    let w = hat_at(field, row, column);
    var word = first;
    for (var c = 0u; c < channels; c++) {
      if (c % 32u == 0u && c > 0u) {
        word = stream_word(field.key, c / 32u);
      }
      sum += sign_of(word, c) * w * inputs(at, k + c);
    }
    k += channels;
    column++;
    if (column == right) {
      column = field.left;
      row++;
      k += (params.width - field.width) * channels;
      if (row >= bottom) {
        break;
      }
    }
  }
  return sum;
}

fn store(row: u32, unit: u32, z: f32) {
  if (row >= params.m) {
    return;
  }
  let out = finish(unit, z);
  y[row * params.n + unit] = out;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  weights_prepare(lane, 64u);
  let i = group.x * 64u + lane;
  if (i >= params.n) {
    return;
  }
  let field = field_at(i);
  let row = group.y * ROWS;
  let rows = min(vec4u(row, row + 1u, row + 2u, row + 3u), vec4u(params.m - 1u));
  var sum: vec4f;
  if (HAT) {
    sum = hat_sum(field, rows * params.k);
  } else {
    sum = patch_sum(field, rows * params.k);
  }
  sum *= field.scale;
  store(row, field.unit, sum.x);
  if (ROWS > 1u) {
    store(row + 1u, field.unit, sum.y);
    store(row + 2u, field.unit, sum.z);
    store(row + 3u, field.unit, sum.w);
  }
}
