//! use stream weights
// out[i, n] = integer weight of unit n for input WEIGHTS_PER_WORD * word_from + k_from + i: a slice of the matrix, through the very
// fragments of the matmuls; with a scale the weight as f32, rounded once. The first input comes as its word and its place there,
// because an input number can pass u32.
// One invocation an element. Grid: (ceil(n_count / 64), k_count folded into y and z, see random_weights.ts).

struct Params {
  word_from: u32,
  k_from: u32,
  k_count: u32,
  n_count: u32,
  k_stride: u32,
  n_stride: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: word of the first input, its place in that word; inputs and units of the slice; words from one to the next of either in out; scale of f32, 0: integers
@group(0) @binding(1) var<storage, read> keys: array<vec2u>; // keys: (n_count) two u32 a unit of the slice
@group(0) @binding(2) var<storage, read_write> out: array<i32>; // out: (k_count, n_count) or (n_count, k_count) row-major, i32 or the bits of f32

@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) local_index: u32,
) {
  weights_prepare(local_index, 64u);
  let row = id.y + id.z * workgroups.y;
  if (id.x >= params.n_count || row >= params.k_count) {
    return;
  }
  let k = params.k_from + row;
  let word = stream_word(stream_key(keys[id.x]), params.word_from + k / WEIGHTS_PER_WORD);
  let quad = weights_quad(word, (k % WEIGHTS_PER_WORD) / 4u);
  let weight = quad[k % 4u];
  let at = row * params.k_stride + id.x * params.n_stride;
  out[at] = select(i32(weight), bitcast<i32>(f32(weight) * params.scale), params.scale != 0.0);
}
