// q[m, k] = x[m, k] / scales[m], rounded to the nearest integer (ties to even), as signed bytes;
// scales[m] = max over k of |x[m, k]| / 127.
//
// A row of zeros has scale 0. One workgroup per row; a maximum is the same in any order.
// Grid: (1, M, 1), folded into y and z beyond 65,535 rows.
// No product: memory-bound.

struct Params {
  m: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows; inputs per row
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read_write> q: array<u32>; // q: (M, ceil(K / 4)) u32, 4 int8 each, lowest first
@group(0) @binding(3) var<storage, read_write> scales: array<f32>; // scales: (M) f32

const LANES = 64u;
const SMALLEST = 1e-36; // for a smaller maximum, 127 / max would overflow

var<workgroup> maxima: array<f32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.y + group.z * groups.y;
  if (row >= params.m) {
    return;
  }
  let fan_in = params.k;
  let at = row * fan_in;
  var largest = 0.0;
  for (var k = lane; k < fan_in; k += LANES) {
    largest = max(largest, abs(x[at + k]));
  }
  maxima[lane] = largest;
  workgroupBarrier();
  for (var i = 0u; i < LANES; i++) {
    largest = max(largest, maxima[i]);
  }
  let used = largest > SMALLEST;
  let inverse = select(0.0, 127.0 / max(largest, SMALLEST), used);
  if (lane == 0u) {
    scales[row] = select(0.0, largest / 127.0, used);
  }
  let quads = (fan_in + 3u) / 4u;
  for (var i = lane; i < quads; i += LANES) {
    var v = vec4f();
    for (var j = 0u; j < 4u; j++) {
      if (4u * i + j < fan_in) {
        v[j] = x[at + 4u * i + j];
      }
    }
    q[row * quads + i] = pack4xI8(vec4i(clamp(round(v * inverse), vec4f(-127.0), vec4f(127.0))));
  }
}
