// uniform (SPEC.md, 4.3): four weights per word. Each is a byte with its lowest bit set, read as a signed integer: the
// odd integers from -127 to 127, all equally likely.

const WEIGHTS_PER_WORD = 4u;

fn weights_word(key: vec3u, index: u32) -> u32 {
  return stream_word(key, index);
}

fn weights_prepare(local_index: u32, workgroup_size: u32) {}

fn weights_quad(word: u32, quad: u32) -> vec4f {
  let odd = bitcast<i32>(word | 0x01010101u);
  return vec4f((vec4i(odd) << vec4u(24u, 16u, 8u, 0u)) >> vec4u(24u));
}
