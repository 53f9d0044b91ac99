//! use schedule
// out[r, :] = piece[indices[batch_start + r] - first, :] for the rows that this piece holds; other rows are left alone.
// A data set comes in pieces, so that none passes the limit of a binding; one dispatch a piece fills the batch.
// One invocation an element. Grid: (ceil(columns / 64), rows, 1).

struct Params {
  rows: u32,
  columns: u32,
  first: u32,
  available: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shape of the batch; first row of the piece and rows in it
@group(0) @binding(1) var<uniform> schedule: Schedule; // schedule: where the batch starts in indices
@group(0) @binding(2) var<storage, read> indices: array<u32>; // indices: (rows of the data set) u32, the epoch's order
@group(0) @binding(3) var<storage, read> piece: array<u32>; // piece: (available, columns) 32-bit words of any type
@group(0) @binding(4) var<storage, read_write> out: array<u32>; // out: (rows, columns) 32-bit words

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
  out[i] = piece[at];
}
