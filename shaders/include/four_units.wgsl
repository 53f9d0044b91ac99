// Weights of four units. The kernel declares `keys`, `params.n`, and NEXT_UNIT, the number of units from one to the next.

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;

// Keys of four units. Past the end the last key repeats; its sums are never stored.
fn keys_from(n: u32) -> array<vec3u, 4> {
  let last = params.n - 1u;
  return array<vec3u, 4>(
    stream_key(keys[min(n, last)]),
    stream_key(keys[min(n + NEXT_UNIT, last)]),
    stream_key(keys[min(n + 2u * NEXT_UNIT, last)]),
    stream_key(keys[min(n + 3u * NEXT_UNIT, last)]),
  );
}

fn words_of(key: array<vec3u, 4>, index: u32) -> vec4u {
  return vec4u(
    weights_word(key[0], index),
    weights_word(key[1], index),
    weights_word(key[2], index),
    weights_word(key[3], index),
  );
}

// One input's four weights per column.
fn weights_of(word: vec4u, quad: u32) -> mat4x4f {
  return transpose(mat4x4f(
    weights_quad(word.x, quad),
    weights_quad(word.y, quad),
    weights_quad(word.z, quad),
    weights_quad(word.w, quad),
  ));
}
