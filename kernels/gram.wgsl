// g[i, j] = sum over m of x[m, i] * x[m, j] for j >= i, and 0 for j < i: the products of columns with each other.
//
// One invocation owns 8 rows x 8 columns of sums in registers. Its columns lie 8 apart, so neighbours read neighbours.
// A workgroup computes 64 x 64 sums; those below the diagonal only store zeros. Sums run over m in rising order.
// Grid: (ceil(N / 64), ceil(N / 64), 1).

struct Params {
  m: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: rows and columns of x
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, N) row-major f32
@group(0) @binding(2) var<storage, read_write> g: array<f32>; // g: (N, N) row-major f32

fn store_one(i: u32, j: u32, sum: f32) {
  if (i < params.n && j < params.n) {
    g[i * params.n + j] = select(0.0, sum, j >= i);
  }
}

fn store(i: u32, j: u32, near: vec4f, far: vec4f) {
  store_one(i, j, near.x);
  store_one(i, j + 8u, near.y);
  store_one(i, j + 16u, near.z);
  store_one(i, j + 24u, near.w);
  store_one(i, j + 32u, far.x);
  store_one(i, j + 40u, far.y);
  store_one(i, j + 48u, far.z);
  store_one(i, j + 56u, far.w);
}

@compute @workgroup_size(8, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let i = group.y * 64u + local.y * 8u;
  let j = group.x * 64u + local.x;
  var near0 = vec4f();
  var far0 = vec4f();
  var near1 = vec4f();
  var far1 = vec4f();
  var near2 = vec4f();
  var far2 = vec4f();
  var near3 = vec4f();
  var far3 = vec4f();
  var near4 = vec4f();
  var far4 = vec4f();
  var near5 = vec4f();
  var far5 = vec4f();
  var near6 = vec4f();
  var far6 = vec4f();
  var near7 = vec4f();
  var far7 = vec4f();
  // Invocations past the edge compute on clamped indices and store nothing.
  let last = params.n - 1u;
  let rows_near = min(vec4u(i, i + 1u, i + 2u, i + 3u), vec4u(last));
  let rows_far = min(vec4u(i + 4u, i + 5u, i + 6u, i + 7u), vec4u(last));
  let near_at = min(vec4u(j, j + 8u, j + 16u, j + 24u), vec4u(last));
  let far_at = min(vec4u(j + 32u, j + 40u, j + 48u, j + 56u), vec4u(last));
  let step = params.n;
  let end = select(0u, params.m * step, group.x >= group.y);
  for (var at = 0u; at < end; at += step) {
    let near = vec4f(x[at + near_at.x], x[at + near_at.y], x[at + near_at.z], x[at + near_at.w]);
    let far = vec4f(x[at + far_at.x], x[at + far_at.y], x[at + far_at.z], x[at + far_at.w]);
    let a0 = x[at + rows_near.x];
    near0 += a0 * near;
    far0 += a0 * far;
    let a1 = x[at + rows_near.y];
    near1 += a1 * near;
    far1 += a1 * far;
    let a2 = x[at + rows_near.z];
    near2 += a2 * near;
    far2 += a2 * far;
    let a3 = x[at + rows_near.w];
    near3 += a3 * near;
    far3 += a3 * far;
    let a4 = x[at + rows_far.x];
    near4 += a4 * near;
    far4 += a4 * far;
    let a5 = x[at + rows_far.y];
    near5 += a5 * near;
    far5 += a5 * far;
    let a6 = x[at + rows_far.z];
    near6 += a6 * near;
    far6 += a6 * far;
    let a7 = x[at + rows_far.w];
    near7 += a7 * near;
    far7 += a7 * far;
  }
  store(i, j, near0, far0);
  store(i + 1u, j, near1, far1);
  store(i + 2u, j, near2, far2);
  store(i + 3u, j, near3, far3);
  store(i + 4u, j, near4, far4);
  store(i + 5u, j, near5, far5);
  store(i + 6u, j, near6, far6);
  store(i + 7u, j, near7, far7);
}
