// The weight stream, version 1 (src/weights/SPEC.md, section 3): one 32-bit word of random bits from a unit's key and a
// word index. Two xorshift-multiply rounds: one half of the key starts the counter, the other multiplies in the first round
// and is added before the second.

fn stream_word(key: vec2u, index: u32) -> u32 {
  var h = key.x + index * 0x9e3779b9u;
  h ^= h >> 16u;
  h *= key.y | 1u;
  h = (h ^ (h >> 15u)) + key.y;
  h *= 0x735a2d97u;
  return h ^ (h >> 15u);
}
