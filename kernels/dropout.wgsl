//! use stream linear schedule
// y[i] = 0 where word i of the step is below `threshold`, else factor * x[i]. The mask is a function of
// (seed, tensor, step, i). The forward and the backward pass each regenerate it; it is never stored.
// Words 2 step and 2 step + 1 of the layer's key form the key of the step. Word i of that key decides element i
// (src/weights/SPEC.md, sections 2 and 3).
// Grid: linearGrid(count, 64).
// No product: memory-bound.

struct Params {
  count: u32,
  threshold: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: number of elements; rate * 2^32; 1 / (1 - rate)
@group(0) @binding(1) var<uniform> schedule: Schedule; // schedule: the step number
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (1) two u32, the layer's key
@group(0) @binding(3) var<storage, read> x: array<f32>; // x: (count) f32
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // y: (count) f32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let i = linear_index(id, workgroups, 64u);
  if (i >= params.count) {
    return;
  }
  let layer = stream_key(keys[0]);
  let step = 2u * schedule.step;
  let key = stream_key(vec2u(stream_word(layer, step), stream_word(layer, step + 1u)));
  y[i] = select(params.factor * x[i], 0.0, stream_word(key, i) < params.threshold);
}
