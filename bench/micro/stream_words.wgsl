//! use stream
// out[i] = exclusive or of COUNT words of a unit's stream: measures words per second without decoding.
// Grid: (N / 64, 1, 1) for N units.

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: words per unit
@group(0) @binding(1) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(2) var<storage, read_write> out: array<u32>; // out: (N) u32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let count = params.count;
  let key = stream_key(keys[id.x]);
  var mixed = 0u;
  for (var j = 0u; j < count; j++) {
    mixed ^= stream_word(key, j);
  }
  out[id.x] = mixed;
}
