// binary (SPEC.md, 4.2): thirty-two weights per word; a set bit means -1, a clear bit 1.

const WEIGHTS_PER_WORD = 32u;

fn weights_word(key: vec3u, index: u32) -> u32 {
  return stream_word(key, index);
}

fn weights_prepare(local_index: u32, workgroup_size: u32) {}

fn weights_quad(word: u32, quad: u32) -> vec4f {
  let bits = word >> (4u * quad);
  let signs = (vec4u(bits) << vec4u(31u, 30u, 29u, 28u)) & vec4u(0x80000000u);
  return bitcast<vec4f>(signs | vec4u(0x3f800000u));
}
