//! use stream weights
// dx[m, k] = scale * sum over n of w[n, k] * dz[m, n]: the transposed product, with the same integer weights w
// regenerated.
//
// One invocation owns ROWS rows x QUADS quads of inputs; a workgroup owns 32 * QUADS quads. All its invocations walk
// the units together, so a unit's key and the gradients are uniform reads. The quads of an invocation are adjacent, so
// that with `binary` one word serves all of them. Sums run over n in rising order, in f32, whatever the shape. Grid:
// (ceil(K / (128 * QUADS)), ceil(M / ROWS), 1).
//
// Cycles per multiply-accumulate on RDNA2 (NAVI21), no spills; then SwiftShader's time at 64 x 784 x 1024 relative to
// 8 rows x 1 quad:
//
//   rows x quads   normal        binary        registers
//   8 x 1          1.63, 1.00    1.84, 1.00     48
//   16 x 1         1.31, 0.71    1.42, 0.75     80
//   8 x 2          1.60, 0.75    1.57, 0.65     88
//   16 x 2         1.30, 0.56    1.29, 0.55    152
//
// Every unit needs another hash; two quads share it if one word holds the signs of both. One unit per iteration was as
// fast as two at 8 x 1 on SwiftShader, but took 1.69 and 1.88 cycles.

struct Params {
  m: u32,
  k: u32,
  n: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes, scale of the integer weights
@group(0) @binding(1) var<storage, read> dz: array<f32>; // dz: (M, N) row-major f32
@group(0) @binding(2) var<storage, read> keys: array<vec2u>; // keys: (N) two u32 per unit
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // dx: (M, K) row-major f32

override ROWS: u32 = 16u; // 8 or 16
override QUADS: u32 = 1u; // 1 or 2

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;

struct Weights {
  near: vec4f, // first quad
  far: vec4f, // second quad, if QUADS is 2
}

// A unit's weights for the quads from `first` on.
fn weights_of(unit: u32, first: u32) -> Weights {
  let key = stream_key(keys[unit]);
  let word = weights_word(key, first / QUADS_PER_WORD);
  let near = weights_quad(word, first % QUADS_PER_WORD);
  if (QUADS == 1u) {
    return Weights(near, near);
  }
  if (QUADS_PER_WORD == 1u) {
    return Weights(near, weights_quad(weights_word(key, first + 1u), 0u));
  }
  return Weights(near, weights_quad(word, first % QUADS_PER_WORD + 1u)); // first is even
}

fn store(row: u32, k: u32, sum: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    if (k + i < params.k) {
      dx[row * params.k + k + i] = params.scale * sum[i];
    }
  }
}

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) local_index: u32) {
  weights_prepare(local_index, 32u);
  let first = id.x * QUADS;
  let row = id.y * ROWS;
  if (4u * first >= params.k) {
    return;
  }
  let units = params.n; // read once: a software adapter would read it again in every iteration
  let last_row = params.m - 1u;
  let at0 = min(row + 0u, last_row) * units;
  let at1 = min(row + 1u, last_row) * units;
  let at2 = min(row + 2u, last_row) * units;
  let at3 = min(row + 3u, last_row) * units;
  let at4 = min(row + 4u, last_row) * units;
  let at5 = min(row + 5u, last_row) * units;
  let at6 = min(row + 6u, last_row) * units;
  let at7 = min(row + 7u, last_row) * units;
  let at8 = min(row + 8u, last_row) * units;
  let at9 = min(row + 9u, last_row) * units;
  let at10 = min(row + 10u, last_row) * units;
  let at11 = min(row + 11u, last_row) * units;
  let at12 = min(row + 12u, last_row) * units;
  let at13 = min(row + 13u, last_row) * units;
  let at14 = min(row + 14u, last_row) * units;
  let at15 = min(row + 15u, last_row) * units;
  // Sums of the first and the second quad, one variable per row.
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
  var near8 = vec4f();
  var far8 = vec4f();
  var near9 = vec4f();
  var far9 = vec4f();
  var near10 = vec4f();
  var far10 = vec4f();
  var near11 = vec4f();
  var far11 = vec4f();
  var near12 = vec4f();
  var far12 = vec4f();
  var near13 = vec4f();
  var far13 = vec4f();
  var near14 = vec4f();
  var far14 = vec4f();
  var near15 = vec4f();
  var far15 = vec4f();
  let pairs = units & ~1u; // two units per iteration: half as many copies of the sums where an iteration costs them
  for (var n = 0u; n < pairs; n += 2u) {
    let w = weights_of(n, first);
    let next = weights_of(n + 1u, first);
    let d0 = vec2f(dz[at0 + n], dz[at0 + n + 1u]);
    near0 = near0 + d0.x * w.near + d0.y * next.near;
    if (QUADS > 1u) {
      far0 = far0 + d0.x * w.far + d0.y * next.far;
    }
    let d1 = vec2f(dz[at1 + n], dz[at1 + n + 1u]);
    near1 = near1 + d1.x * w.near + d1.y * next.near;
    if (QUADS > 1u) {
      far1 = far1 + d1.x * w.far + d1.y * next.far;
    }
    let d2 = vec2f(dz[at2 + n], dz[at2 + n + 1u]);
    near2 = near2 + d2.x * w.near + d2.y * next.near;
    if (QUADS > 1u) {
      far2 = far2 + d2.x * w.far + d2.y * next.far;
    }
    let d3 = vec2f(dz[at3 + n], dz[at3 + n + 1u]);
    near3 = near3 + d3.x * w.near + d3.y * next.near;
    if (QUADS > 1u) {
      far3 = far3 + d3.x * w.far + d3.y * next.far;
    }
    let d4 = vec2f(dz[at4 + n], dz[at4 + n + 1u]);
    near4 = near4 + d4.x * w.near + d4.y * next.near;
    if (QUADS > 1u) {
      far4 = far4 + d4.x * w.far + d4.y * next.far;
    }
    let d5 = vec2f(dz[at5 + n], dz[at5 + n + 1u]);
    near5 = near5 + d5.x * w.near + d5.y * next.near;
    if (QUADS > 1u) {
      far5 = far5 + d5.x * w.far + d5.y * next.far;
    }
    let d6 = vec2f(dz[at6 + n], dz[at6 + n + 1u]);
    near6 = near6 + d6.x * w.near + d6.y * next.near;
    if (QUADS > 1u) {
      far6 = far6 + d6.x * w.far + d6.y * next.far;
    }
    let d7 = vec2f(dz[at7 + n], dz[at7 + n + 1u]);
    near7 = near7 + d7.x * w.near + d7.y * next.near;
    if (QUADS > 1u) {
      far7 = far7 + d7.x * w.far + d7.y * next.far;
    }
    if (ROWS > 8u) {
      let d8 = vec2f(dz[at8 + n], dz[at8 + n + 1u]);
      near8 = near8 + d8.x * w.near + d8.y * next.near;
      if (QUADS > 1u) {
        far8 = far8 + d8.x * w.far + d8.y * next.far;
      }
      let d9 = vec2f(dz[at9 + n], dz[at9 + n + 1u]);
      near9 = near9 + d9.x * w.near + d9.y * next.near;
      if (QUADS > 1u) {
        far9 = far9 + d9.x * w.far + d9.y * next.far;
      }
      let d10 = vec2f(dz[at10 + n], dz[at10 + n + 1u]);
      near10 = near10 + d10.x * w.near + d10.y * next.near;
      if (QUADS > 1u) {
        far10 = far10 + d10.x * w.far + d10.y * next.far;
      }
      let d11 = vec2f(dz[at11 + n], dz[at11 + n + 1u]);
      near11 = near11 + d11.x * w.near + d11.y * next.near;
      if (QUADS > 1u) {
        far11 = far11 + d11.x * w.far + d11.y * next.far;
      }
      let d12 = vec2f(dz[at12 + n], dz[at12 + n + 1u]);
      near12 = near12 + d12.x * w.near + d12.y * next.near;
      if (QUADS > 1u) {
        far12 = far12 + d12.x * w.far + d12.y * next.far;
      }
      let d13 = vec2f(dz[at13 + n], dz[at13 + n + 1u]);
      near13 = near13 + d13.x * w.near + d13.y * next.near;
      if (QUADS > 1u) {
        far13 = far13 + d13.x * w.far + d13.y * next.far;
      }
      let d14 = vec2f(dz[at14 + n], dz[at14 + n + 1u]);
      near14 = near14 + d14.x * w.near + d14.y * next.near;
      if (QUADS > 1u) {
        far14 = far14 + d14.x * w.far + d14.y * next.far;
      }
      let d15 = vec2f(dz[at15 + n], dz[at15 + n + 1u]);
      near15 = near15 + d15.x * w.near + d15.y * next.near;
      if (QUADS > 1u) {
        far15 = far15 + d15.x * w.far + d15.y * next.far;
      }
    }
  }
  var nears = array<vec4f, 16>(
    near0, near1, near2, near3, near4, near5, near6, near7,
    near8, near9, near10, near11, near12, near13, near14, near15,
  );
  var fars = array<vec4f, 16>(
    far0, far1, far2, far3, far4, far5, far6, far7,
    far8, far9, far10, far11, far12, far13, far14, far15,
  );
  let w = weights_of(units - 1u, first);
  let odd = units > pairs;
  let rows = min(ROWS, params.m - row);
  for (var i = 0u; i < rows; i++) {
    let d = select(0.0, dz[(row + i) * units + units - 1u], odd);
    store(row + i, 4u * first, nears[i] + d * w.near);
    if (QUADS > 1u) {
      store(row + i, 4u * first + 4u, fars[i] + d * w.far);
    }
  }
}
