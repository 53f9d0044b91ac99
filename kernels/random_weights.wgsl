//! use stream weights
// out[i, n] = integer weight of unit n for input WEIGHTS_PER_WORD * word_from + k_from + i: a slice of the matrix, made
// by the same fragments as in the matmuls. With a scale: the weight as f32, rounded once. The first input is passed as
// a word and a place in that word, because an input number can exceed u32.
// One invocation per element. Grid: (ceil(n_count / 64), k_count folded into y and z, see random_weights.ts).
// No product: memory-bound.

struct Params {
  word_from: u32, // word of the first input
  k_from: u32, // place of the first input in that word
  k_count: u32, // inputs of the slice
  n_count: u32, // units of the slice
  k_stride: u32, // elements of out from one input to the next
  n_stride: u32, // elements of out from one unit to the next
  scale: f32, // 0: write integers
}

@group(0) @binding(0) var<uniform> params: Params; // params: the slice, layout of out, scale
@group(0) @binding(1) var<storage, read> keys: array<vec2u>; // keys: (n_count) two u32 per unit of the slice
@group(0) @binding(2) var<storage, read_write> out: array<i32>; // out: (k_count, n_count) or transposed, i32 or f32

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
  let key = keys[id.x] + vec2u(params.word_from * STREAM_STEP, 0u); // word 0 is now the one of k 0
  let word = weights_word(stream_key(key), k / WEIGHTS_PER_WORD);
  let quad = weights_quad(word, (k % WEIGHTS_PER_WORD) / 4u);
  let weight = quad[k % 4u];
  let at = row * params.k_stride + id.x * params.n_stride;
  out[at] = select(i32(weight), bitcast<i32>(f32(weight) * params.scale), params.scale != 0.0);
}
