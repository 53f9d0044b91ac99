//! use linear schedule
// Adam (Kingma and Ba, arXiv:1412.6980) with decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101), in place:
//   moment1 = beta1 moment1 + (1 - beta1) gradient
//   moment2 = beta2 moment2 + (1 - beta2) gradient^2
//   value -= learning_rate ((moment1 / correction1) / (sqrt(moment2 / correction2) + epsilon) + decay value)
// One invocation per element. Grid: linearGrid(count, 256).
// No product: memory-bound.

struct Params {
  count: u32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  decay: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: number of elements, Adam's constants
@group(0) @binding(1) var<uniform> schedule: Schedule; // schedule: the step's learning rate and bias corrections
@group(0) @binding(2) var<storage, read_write> value: array<f32>; // value: (count) f32
@group(0) @binding(3) var<storage, read> gradient: array<f32>; // gradient: (count) f32
@group(0) @binding(4) var<storage, read_write> moment1: array<f32>; // moment1: (count) f32
@group(0) @binding(5) var<storage, read_write> moment2: array<f32>; // moment2: (count) f32

@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = linear_index(id, workgroups, 256u);
  if (i >= params.count) {
    return;
  }
  let g = gradient[i];
  let m1 = params.beta1 * moment1[i] + (1.0 - params.beta1) * g;
  let m2 = params.beta2 * moment2[i] + (1.0 - params.beta2) * g * g;
  moment1[i] = m1;
  moment2[i] = m2;
  let step = (m1 / schedule.correction1) / (sqrt(m2 / schedule.correction2) + params.epsilon);
  value[i] -= schedule.learning_rate * (step + params.decay * value[i]);
}
