// dx[m, k] = sum over blocks of parts[m, block, k], in the order of the blocks: the last step of the product with a transposed
// matrix `orthogonal` of several blocks. One invocation an element.
// Grid: (ceil(M * K / 64), 1, 1), folded into two dimensions where that passes the limit (linearGrid).

struct Params {
  m: u32,
  k: u32,
  blocks: u32,
  p: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows, elements wanted of a block, blocks, elements of a block
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
