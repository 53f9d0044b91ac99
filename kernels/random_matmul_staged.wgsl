//! use stream weights activation
//! include epilogue
// y[m, n] = g(u[n] * z[m, n] + b[n]),  z[m, n] = scale * sum over k of w[n, k] * x[m, k], with the integer weights w
// regenerated.
//
// For large batches on GPUs. A workgroup owns 64 rows x 128 units. It generates the weights of 16 inputs for all its
// units once for all its rows and stores them and the inputs in workgroup memory. After a barrier each invocation adds
// their products for 16 rows x 4 units in registers, in the order of the inputs: the same bits as random_matmul.
// Ruinous on software adapters: two barriers per 16 inputs.
// Grid: (ceil(N / 128), ceil(M / 64), 1).
//
// Cycles per multiply-accumulate on RDNA2 (NAVI21) and RDNA3 (GFX1100): the product loop 1.02 and 1.02 (random_matmul
// 16 x 4: normal 1.28 and 1.36, binary 1.17 and 1.17), with 0.078 LDS reads and no memory read. With the staging (a
// hash and half a quad of inputs per 256 products) about 1.16, for every distribution. 96 registers, 12 to 14 KiB.
// Tried: 128 rows per workgroup 1.01, but 18 KiB with the table of `normal`, more than every device has; inputs as
// uniform reads by subgroupBroadcastFirst 1.09 with staging and 0.035 LDS reads, but wrong where a subgroup (of 64)
// spans two rows of invocations; plain reads of the inputs 1.20.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the integer weights
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(3) var<storage, read> u: array<f32>; // u: (N) f32, read when EPILOGUE is 2
@group(0) @binding(4) var<storage, read> b: array<f32>; // b: (N) f32, read when EPILOGUE is 1 or 2
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // y: (M, N) row-major f32

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;
const LANES = 32u;
const INVOCATIONS = 128u;
const UNITS = 128u;
const ROWS = 64u;
const QUADS = 4u; // quads of inputs staged at a time

var<workgroup> weights: array<vec4f, 512>; // (QUADS, UNITS): four weights of a unit
var<workgroup> inputs: array<vec4f, 256>; // (QUADS, ROWS): four inputs of a row

// Four inputs of a row, 0 past its end.
fn inputs_at(row: u32, k: u32) -> vec4f {
  let at = min(row, params.m - 1u) * params.k + k;
  if (k + 4u <= params.k) {
    return vec4f(x[at], x[at + 1u], x[at + 2u], x[at + 3u]);
  }
  var v = vec4f();
  for (var i = 0u; i < 3u; i++) {
    if (k + i < params.k) {
      v[i] = x[at + i];
    }
  }
  return v;
}

fn add(sum: vec4f, v: vec4f, w: mat4x4f) -> vec4f {
  var s = sum;
  s += v.x * w[0];
  s += v.y * w[1];
  s += v.z * w[2];
  s += v.w * w[3];
  return s;
}

fn store(row: u32, unit: u32, sum: f32) {
  if (row >= params.m || unit >= params.n) {
    return;
  }
  let out = finish(unit, sum * params.scale);
  y[row * params.n + unit] = out;
}

@compute @workgroup_size(32, 4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  weights_prepare(index, INVOCATIONS);
  let n = group.x * UNITS;
  let row = group.y * ROWS;
  let key = stream_key(keys[min(n + index, params.n - 1u)]); // of the unit that this invocation stages
  let first = 16u * local.y; // this invocation's first row within the workgroup
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  var sum8 = vec4f();
  var sum9 = vec4f();
  var sum10 = vec4f();
  var sum11 = vec4f();
  var sum12 = vec4f();
  var sum13 = vec4f();
  var sum14 = vec4f();
  var sum15 = vec4f();
  let fan_in = params.k;
  for (var k = 0u; k < fan_in; k += 4u * QUADS) {
    workgroupBarrier();
    for (var q = 0u; q < QUADS; q++) {
      let quad = k / 4u + q;
      weights[q * UNITS + index] = weights_quad(weights_word(key, quad / QUADS_PER_WORD), quad % QUADS_PER_WORD);
    }
    for (var i = index; i < QUADS * ROWS; i += INVOCATIONS) {
      inputs[i] = inputs_at(row + i % ROWS, k + 4u * (i / ROWS));
    }
    workgroupBarrier();
    for (var q = 0u; q < QUADS; q++) {
      let at = q * UNITS + local.x;
      let w = transpose(mat4x4f(
        weights[at],
        weights[at + LANES],
        weights[at + 2u * LANES],
        weights[at + 3u * LANES],
      ));
      let v = q * ROWS + first;
      sum0 = add(sum0, inputs[v + 0u], w);
      sum1 = add(sum1, inputs[v + 1u], w);
      sum2 = add(sum2, inputs[v + 2u], w);
      sum3 = add(sum3, inputs[v + 3u], w);
      sum4 = add(sum4, inputs[v + 4u], w);
      sum5 = add(sum5, inputs[v + 5u], w);
      sum6 = add(sum6, inputs[v + 6u], w);
      sum7 = add(sum7, inputs[v + 7u], w);
      sum8 = add(sum8, inputs[v + 8u], w);
      sum9 = add(sum9, inputs[v + 9u], w);
      sum10 = add(sum10, inputs[v + 10u], w);
      sum11 = add(sum11, inputs[v + 11u], w);
      sum12 = add(sum12, inputs[v + 12u], w);
      sum13 = add(sum13, inputs[v + 13u], w);
      sum14 = add(sum14, inputs[v + 14u], w);
      sum15 = add(sum15, inputs[v + 15u], w);
    }
  }
  var sums = array<vec4f, 16>(
    sum0, sum1, sum2, sum3, sum4, sum5, sum6, sum7,
    sum8, sum9, sum10, sum11, sum12, sum13, sum14, sum15,
  );
  for (var i = 0u; i < 16u; i++) {
    for (var j = 0u; j < 4u; j++) {
      store(row + first + i, n + local.x + j * LANES, sums[i][j]);
    }
  }
}
