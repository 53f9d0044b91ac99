//! use linear
// c = a * b. One invocation per element.
// Grid: linearGrid(count, 64).
// No product: memory-bound.

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: number of elements
@group(0) @binding(1) var<storage, read> a: array<f32>; // a: (count) f32
@group(0) @binding(2) var<storage, read> b: array<f32>; // b: (count) f32
@group(0) @binding(3) var<storage, read_write> c: array<f32>; // c: (count) f32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = linear_index(id, workgroups, 64u);
  if (i < params.count) {
    c[i] = a[i] * b[i];
  }
}
