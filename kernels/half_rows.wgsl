// h[m, k] = x[m, k] / scales[m], rounded to f16, where scales[m] is the power of two above max over k of |x[m, k]|.
// The division is exact, and its result lies between -1 and 1.
//
// A row of zeros, or of numbers below 2^-100, has scale 0. Rows are zero-padded to a multiple of eight inputs.
// One workgroup per row. Grid: (1, M, 1), folded into y and z beyond 65,535 rows.
// No product: memory-bound.

struct Params {
  m: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows; inputs per row
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, K) row-major f32
@group(0) @binding(2) var<storage, read_write> h: array<u32>; // h: (M, 4 * ceil(K / 8)) u32, two f16 each, low first
@group(0) @binding(3) var<storage, read_write> scales: array<f32>; // scales: (M) f32

const LANES = 64u;
const LEAST = -100;

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
  // Read the exponent from the bits, so that 2^exponent is above the number.
  let exponent = i32(bitcast<u32>(largest) >> 23u) - 126;
  let used = exponent >= LEAST;
  if (lane == 0u) {
    scales[row] = select(0.0, ldexp(1.0, exponent), used);
  }
  let inverse = select(0.0, ldexp(1.0, -exponent), used);
  let pairs = (fan_in + 7u) / 8u * 4u;
  for (var i = lane; i < pairs; i += LANES) {
    var v = vec2f();
    for (var j = 0u; j < 2u; j++) {
      if (2u * i + j < fan_in) {
        v[j] = x[at + 2u * i + j] * inverse;
      }
    }
    h[row * pairs + i] = pack2x16float(v);
  }
}
