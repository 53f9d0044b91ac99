// Receptive fields (src/weights/SPEC.md, 4.6): the window of a unit and the weights inside it. The kernel declares
// `fields`: two vectors per unit, packed by fieldWords in src/weights/fields.ts, and for hats their table.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  width: u32, // of the image
  channels: u32,
  table: u32, // index in `fields` where the table of hats begins
}

override HAT: bool = false; // true: hats, whose channels take signs from `binary`; false: patches of the weights

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;

struct Field {
  key: vec3u,
  top: u32,
  left: u32,
  height: u32,
  width: u32,
  centre_y: u32,
  centre_x: u32,
  reciprocal: u32,
  scale: f32,
  unit: u32,
}

fn field_at(i: u32) -> Field {
  let a = fields[2u * i];
  let b = fields[2u * i + 1u];
  return Field(
    stream_key(a.xy),
    a.z & 0xffffu,
    a.w & 0xffffu,
    a.z >> 16u,
    a.w >> 16u,
    b.x & 0xffffu,
    b.x >> 16u,
    b.y,
    bitcast<f32>(b.z),
    b.w,
  );
}

// The integer of a hat at a pixel of its window. Differences may wrap around; their squares are still right.
fn hat_at(field: Field, y: u32, x: u32) -> f32 {
  let down = y - field.centre_y;
  let across = x - field.centre_x;
  let index = ((down * down + across * across) * field.reciprocal) >> 23u;
  let entry = bitcast<f32>(fields[params.table + (index & 255u) / 4u][index % 4u]);
  return select(0.0, entry, index < 256u);
}

// The sign of a channel, 1 or -1.
fn sign_of(word: u32, channel: u32) -> f32 {
  return 1.0 - 2.0 * f32((word >> (channel % 32u)) & 1u);
}
