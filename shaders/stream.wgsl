// The weight stream, version 1 (src/weights/SPEC.md, section 3): a 32-bit word of random bits from a unit's key and a
// word index. Two xorshift-multiply rounds: one half of the key starts the counter; the other multiplies in the first
// round and is added before the second.

// A unit's key with its multiplier. Call it before a loop: compilers do not hoist the `|` out of the loop.
fn stream_key(key: vec2u) -> vec3u {
  return vec3u(key, key.y | 1u);
}

const STREAM_STEP = 0x9e3779b9u; // from one word's counter to the next one's

// The word for a counter, which is `key.x + index * STREAM_STEP`.
fn stream_mix(key: vec3u, counter: u32) -> u32 {
  var h = counter ^ (counter >> 16u);
  h *= key.z;
  h = (h ^ (h >> 15u)) + key.y;
  h *= 0x735a2d97u;
  return h ^ (h >> 15u);
}

fn stream_word(key: vec3u, index: u32) -> u32 {
  return stream_mix(key, key.x + index * STREAM_STEP);
}
