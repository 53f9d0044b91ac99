// codeword (SPEC.md, 4.8): each byte of a word picks one of 256 words of 16 signs, so a word of the stream has 64
// weights. Kernels see them as two words of 32 signs, as those of `binary`: a set bit means -1, a clear bit 1.

const WEIGHTS_PER_WORD = 32u;

// The mask where bit `i` of `byte` is set, else 0.
fn where_set(byte: u32, i: u32, mask: u32) -> u32 {
  return (0u - ((byte >> i) & 1u)) & mask;
}

// The 16 signs of a byte: a coset by its highest three bits; a row of the Hadamard matrix, whose bit i is the parity of
// the bits that i shares with the next four; the complement by the lowest bit.
fn code_word(byte: u32) -> u32 {
  let odd = (byte & 64u) != 0u;
  let cosets = select(
    select(0x6ac00000u, 0x24e8c6a0u, odd),
    select(0xb8487228u, 0x5c601e88u, odd),
    (byte & 128u) != 0u,
  );
  let word = (cosets >> ((byte >> 1u) & 16u)) ^ where_set(byte, 0u, 0xffffu);
  let row = where_set(byte, 1u, 0xaaaau) ^ where_set(byte, 2u, 0xccccu) ^ where_set(byte, 3u, 0xf0f0u);
  return (word ^ row ^ where_set(byte, 4u, 0xff00u)) & 0xffffu;
}

// Weights 32 * index ... 32 * index + 31 of a unit.
fn weights_word(key: vec3u, index: u32) -> u32 {
  let bytes = stream_word(key, index / 2u) >> (16u * (index % 2u));
  return code_word(bytes & 0xffu) | (code_word((bytes >> 8u) & 0xffu) << 16u);
}

fn weights_prepare(local_index: u32, workgroup_size: u32) {}

fn weights_quad(word: u32, quad: u32) -> vec4f {
  let bits = word >> (4u * quad);
  let signs = (vec4u(bits) << vec4u(31u, 30u, 29u, 28u)) & vec4u(0x80000000u);
  return bitcast<vec4f>(signs | vec4u(0x3f800000u));
}
