// normal (SPEC.md, 4.1): four weights per word. A byte's low seven bits look up a magnitude in one of two tables (for
// even and odd inputs); its top bit is the sign. The two tables alternate in how they round the same quantiles of
// N(0, 43.03^2), which halves the rounding error of either. They lie in workgroup memory as signed f32: one read per
// weight, no conversion.

const WEIGHTS_PER_WORD = 4u;

fn weights_word(key: vec3u, index: u32) -> u32 {
  return stream_word(key, index);
}

// 128 magnitudes for even inputs, then 128 for odd inputs; four per u32, the first in the lowest byte.
const NORMAL_MAGNITUDES = array<u32, 64>(
  0x02010100u, 0x03030202u, 0x05040403u, 0x07060605u, 0x08080807u, 0x0a090909u, 0x0c0b0b0bu, 0x0d0d0c0cu,
  0x0f0f0e0eu, 0x11111010u, 0x13131212u, 0x15141413u, 0x17161615u, 0x19181817u, 0x1b1a1a19u, 0x1d1c1c1bu,
  0x1f1e1e1du, 0x2121201fu, 0x23232222u, 0x26252524u, 0x28282727u, 0x2b2a2a29u, 0x2e2d2d2cu, 0x3130302fu,
  0x35333332u, 0x38373635u, 0x3c3c3b39u, 0x42403f3du, 0x48454542u, 0x4f4c4a49u, 0x5b575452u, 0x7f6d655fu,
  0x01010100u, 0x03030202u, 0x05050404u, 0x06060605u, 0x08080707u, 0x0a0a0909u, 0x0c0b0b0au, 0x0e0d0d0cu,
  0x0f0f0e0eu, 0x11111010u, 0x13121211u, 0x15141414u, 0x17161615u, 0x19181817u, 0x1b1a1a19u, 0x1d1c1c1bu,
  0x1f1e1e1du, 0x21202020u, 0x24232222u, 0x26252424u, 0x29282726u, 0x2b2b2a29u, 0x2e2d2c2cu, 0x31302f2fu,
  0x34343332u, 0x38373736u, 0x3d3b3a39u, 0x41403e3eu, 0x47464443u, 0x4f4d4b49u, 0x5b575451u, 0x7f6d655fu,
);

var<workgroup> normal_table: array<f32, 512>; // [0, 256) by byte for even inputs, [256, 512) for odd ones

fn weights_prepare(local_index: u32, workgroup_size: u32) {
  for (var i = local_index; i < 64u; i += workgroup_size) {
    let packed = NORMAL_MAGNITUDES[i];
    for (var j = 0u; j < 4u; j++) {
      let magnitude = f32((packed >> (8u * j)) & 0xffu);
      let at = (i / 32u) * 256u + (i % 32u) * 4u + j;
      normal_table[at] = magnitude;
      normal_table[at + 128u] = -magnitude;
    }
  }
  workgroupBarrier();
}

// The four integer weights of a word's inputs 4 * quad ... 4 * quad + 3 (here quad is always 0).
fn weights_quad(word: u32, quad: u32) -> vec4f {
  return vec4f(
    normal_table[word & 0xffu],
    normal_table[256u + ((word >> 8u) & 0xffu)],
    normal_table[(word >> 16u) & 0xffu],
    normal_table[256u + (word >> 24u)],
  );
}
