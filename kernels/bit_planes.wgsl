// planes[m, j, b] = bit b of the inputs x[m, 32 j + i], i = 0 ... 31, input i at bit i; totals[m] = sum of the row.
//
// Input for random_matmul_bit_planes. Each row is padded to a multiple of 8 words; inputs past its end are 0.
// One workgroup per row; each invocation builds the planes of 32 inputs at a time. Grid: (1, M, 1), folded into y and z beyond 65,535 rows.
// No product: memory-bound.

struct Params {
  m: u32,
  k: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows; inputs per row
@group(0) @binding(1) var<storage, read> x: array<u32>; // x: (M, ceil(K / 4)) u32, four bytes each, the first lowest
@group(0) @binding(2) var<storage, read_write> planes: array<u32>; // planes: (M, J, 8) u32, J = 8 * ceil(K / 256)
@group(0) @binding(3) var<storage, read_write> totals: array<i32>; // totals: (M) i32

override SIGNED: u32 = 0u; // 1: the bytes are signed

const LANES = 64u;

var<workgroup> parts: array<i32, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = group.y + group.z * groups.y;
  if (row >= params.m) {
    return;
  }
  let words = (params.k + 255u) / 256u * 8u;
  let quads = (params.k + 3u) / 4u;
  var total = 0;
  for (var j = lane; j < words; j += LANES) {
    var bits = array<u32, 8>();
    for (var i = 8u * j; i < min(8u * j + 8u, quads); i++) {
      let four = x[row * quads + i];
      if (SIGNED == 1u) {
        total += dot4I8Packed(four, 0x01010101u);
      } else {
        total += i32(dot4U8Packed(four, 0x01010101u));
      }
      for (var b = 0u; b < 8u; b++) {
        // Moves bits 0, 8, 16, 24 to bits 24 ... 27. No two partial products overlap.
        let nibble = (((four >> b) & 0x01010101u) * 0x01020408u) >> 24u;
        bits[b] |= (nibble & 15u) << (4u * (i % 8u));
      }
    }
    for (var b = 0u; b < 8u; b++) {
      planes[(row * words + j) * 8u + b] = bits[b];
    }
  }
  parts[lane] = total;
  workgroupBarrier();
  if (lane == 0u) {
    for (var i = 1u; i < LANES; i++) {
      total += parts[i];
    }
    totals[row] = total;
  }
}
