//! use schedule
// out[r, :] = piece[indices[batch_start + r] - first, :] for the rows that this piece holds; other rows stay unchanged.
// A data set is split into pieces so that none exceeds the binding limit; one dispatch per piece fills the batch.
// One workgroup per batch row: it returns at once if the piece does not hold the row, and needs no index division.
// Grid: (rows, 1, 1), folded into x and y beyond 65,535 rows.
// Tried: one invocation per element; with most pieces, most workgroups had nothing to do.
// No product: memory-bound.

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
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local_index: u32,
) {
  let place = group.x + group.y * groups.x;
  let row = indices[schedule.batch_start + place];
  if (place >= params.rows || row < params.first || row - params.first >= params.available) {
    return;
  }
  let columns = params.columns;
  let begin = (row - params.first) * columns;
  let filled = place * columns;
  for (var c = local_index; c < columns; c += 64u) {
    out[filled + c] = piece[begin + c];
  }
}
