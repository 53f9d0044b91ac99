// total[0] += sum over m of loss[m, 0],  total[1] += sum over m of loss[m, 1].
// One invocation, because M is small and the order of the sum must be fixed.
// Grid: (1, 1, 1).
// No product: memory-bound.

struct Params {
  m: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows
@group(0) @binding(1) var<storage, read> loss: array<f32>; // loss: (M, 2) row-major f32
@group(0) @binding(2) var<storage, read_write> total: array<f32>; // total: (2) f32

@compute @workgroup_size(1)
fn main() {
  var sum = 0.0;
  var hits = 0.0;
  for (var m = 0u; m < params.m; m++) {
    sum += loss[2u * m];
    hits += loss[2u * m + 1u];
  }
  total[0] += sum;
  total[1] += hits;
}
