//! use activation preactivation
// dz[m, n] = u[n] * dy[m, n] * g'(a[m, n]), a = u[n] * z[m, n] + b[n]; u = 1 where EPILOGUE has no u. One invocation
// owns 8 rows of one unit: it reads u and b once and needs no index division, which is slow on software adapters.
// A narrow matrix is treated as a wider (M, N) one that repeats the `units` columns, so few columns fill the lanes.
// Grid: (ceil(N / 64), ceil(M / 8), 1).
// No product: memory-bound.

struct Params {
  m: u32,
  n: u32,
  units: u32,
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shape of the wide matrix; units, number of elements
@group(0) @binding(1) var<storage, read> z: array<f32>; // z: (M, N) row-major f32
@group(0) @binding(2) var<storage, read> u: array<f32>; // u: (N) f32, used when EPILOGUE is 2
@group(0) @binding(3) var<storage, read> b: array<f32>; // b: (N) f32, used when EPILOGUE is 1 or 2
@group(0) @binding(4) var<storage, read> dy: array<f32>; // dy: (M, N) row-major f32
@group(0) @binding(5) var<storage, read_write> dz: array<f32>; // dz: (M, N) row-major f32

override EPILOGUE: u32 = 2u; // pre-activation a: 0: z; 1: z + b; 2: u * z + b
override ACTIVATION: u32 = 0u;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let n = id.x;
  if (n >= params.n) {
    return;
  }
  let unit = n % params.units;
  let scale = u[unit];
  let bias = b[unit];
  let factor = select(1.0, scale, EPILOGUE == 2u);
  let end = min(8u * id.y + 8u, params.m);
  let columns = params.n;
  for (var m = 8u * id.y; m < end; m++) {
    let i = m * columns + n;
    if (i >= params.count) {
      return;
    }
    let slope = activate_gradient(ACTIVATION, preactivation(EPILOGUE, z[i], scale, bias));
    dz[i] = factor * dy[i] * slope;
  }
}
