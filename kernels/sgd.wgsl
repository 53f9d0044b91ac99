//! use linear schedule
// Stochastic gradient descent with momentum, in place:
//   velocity = momentum * velocity + gradient
//   value -= learning_rate * velocity
// One invocation per element. Grid: linearGrid(count, 256).
// No product: memory-bound.

struct Params {
  count: u32,
  momentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: number of elements, momentum
@group(0) @binding(1) var<uniform> schedule: Schedule; // schedule: the step's learning rate
@group(0) @binding(2) var<storage, read_write> value: array<f32>; // value: (count) f32
@group(0) @binding(3) var<storage, read> gradient: array<f32>; // gradient: (count) f32
@group(0) @binding(4) var<storage, read_write> velocity: array<f32>; // velocity: (count) f32

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = linear_index(id, workgroups, 256u);
  if (i >= params.count) {
    return;
  }
  let v = params.momentum * velocity[i] + gradient[i];
  velocity[i] = v;
  value[i] -= schedule.learning_rate * v;
}
