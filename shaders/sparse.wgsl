// sparse (SPEC.md, 4.4): four weights per word. A byte whose low seven bits are 85 or more gives 1, or -1 if its top
// bit is set; any other byte gives 0. After Achlioptas (2003): -1, 0, 1 with probabilities 43/256, 170/256, 43/256.

const WEIGHTS_PER_WORD = 4u;

fn weights_word(key: vec3u, index: u32) -> u32 {
  return stream_word(key, index);
}

fn weights_prepare(local_index: u32, workgroup_size: u32) {}

fn weights_quad(word: u32, quad: u32) -> vec4f {
  let bytes = (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(0xffu);
  let magnitude = select(vec4f(0.0), vec4f(1.0), (bytes & vec4u(0x7fu)) >= vec4u(85u));
  return select(magnitude, -magnitude, bytes >= vec4u(128u));
}
