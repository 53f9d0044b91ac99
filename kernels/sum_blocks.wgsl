// dx[m, k] = sum over blocks of parts[m, block, k], in the order of the blocks. For a matrix `orthogonal` of several
// blocks this is the last step of the transposed product. Other sums made in parts use it too. One invocation per
// element. Grid: (ceil(M * K / 64), 1, 1), folded into two dimensions if that exceeds the limit (linearGrid).
// No product: memory-bound.

struct Params {
  m: u32,
  k: u32, // elements kept of each block
  blocks: u32,
  p: u32, // elements of a block
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows, elements to keep, blocks, block size
@group(0) @binding(1) var<storage, read> parts: array<f32>; // parts: (M, blocks, P) f32
@group(0) @binding(2) var<storage, read_write> dx: array<f32>; // dx: (M, K) f32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) grid: vec3u) {
  let i = id.x + id.y * grid.x * 64u;
  if (i >= params.m * params.k) {
    return;
  }
  let row = i / params.k;
  let first = row * params.blocks * params.p + i - row * params.k;
  var sum = parts[first];
  for (var part = 1u; part < params.blocks; part++) {
    sum += parts[first + part * params.p];
  }
  dx[i] = sum;
}
