//! use schedule
// out[r, c] = scale * piece[indices[batch_start + r] - first, c] + shift for the rows that this piece holds, the piece in bytes.
// One invocation an element. Grid: (ceil(columns / 64), rows, 1).

struct Params {
  rows: u32,
  columns: u32,
  first: u32,
  available: u32,
  scale: f32,
  shift: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shape of the batch; first row of the piece and rows in it; bytes to f32
@group(0) @binding(1) var<uniform> schedule: Schedule; // schedule: where the batch starts in indices
@group(0) @binding(2) var<storage, read> indices: array<u32>; // indices: (rows of the data set) u32, the epoch's order
@group(0) @binding(3) var<storage, read> piece: array<u32>; // piece: (available, columns) bytes, four to a word, lowest first
@group(0) @binding(4) var<storage, read_write> out: array<f32>; // out: (rows, columns) row-major f32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.columns) {
    return;
  }
  let row = indices[schedule.batch_start + id.y];
  if (row < params.first || row - params.first >= params.available) {
    return;
  }
  let i = id.y * params.columns + id.x;
  let at = (row - params.first) * params.columns + id.x;
  let byte = (piece[at / 4u] >> (8u * (at % 4u))) & 0xffu;
  out[i] = f32(byte) * params.scale + params.shift;
}
