// loss[m] = the means over n of loss and hit of y[m, n] and targets[m, n],  dy[m, n] = d loss / d y / (M N).
// One invocation per row. Sums run over n in rising order, in f32. Losses by the numbers of src/core/losses.ts.
// Grid: (ceil(M / 64), 1, 1).
// No product: memory-bound.

struct Params {
  m: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes
@group(0) @binding(1) var<storage, read> y: array<f32>; // y: (M, N) row-major f32
@group(0) @binding(2) var<storage, read> targets: array<f32>; // targets: (M, N) row-major f32
@group(0) @binding(3) var<storage, read_write> loss: array<f32>; // loss: (M, 2) row-major f32
@group(0) @binding(4) var<storage, read_write> dy: array<f32>; // dy: (M, N) row-major f32

override LOSS: u32 = 0u;

// log(1 + e) for e from 0 to 1, relative error 2e-8 before rounding: 2 atanh(s), s = e / (2 + e), as a series.
fn log1p(e: f32) -> f32 {
  let s = e / (2.0 + e);
  let q = s * s;
  let rest = 1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0)));
  return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * rest)));
}

// Loss, its derivative by y, and 1 for a hit.
fn loss_of(y: f32, t: f32) -> vec3f {
  switch (LOSS) {
    case 1u: { // huber: c is the slope, d cut at +-1
      let d = y - t;
      let c = clamp(d, -1.0, 1.0);
      return vec3f(c * (d - 0.5 * c), c, 0.0);
    }
    case 2u: { // binaryCrossEntropy, of logits: e is at most 1, so nothing overflows
      let e = exp(-min(abs(y), 80.0));
      let probability = select(e, 1.0, y > 0.0) / (1.0 + e);
      let hit = select(0.0, 1.0, (y > 0.0) == (t > 0.5));
      return vec3f(max(y, 0.0) - y * t + log1p(e), probability - t, hit);
    }
    default: { // meanSquaredError
      let d = y - t;
      return vec3f(d * d, 2.0 * d, 0.0);
    }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x;
  if (m >= params.m) {
    return;
  }
  let start = m * params.n;
  let factor = 1.0 / (f32(params.m) * f32(params.n));
  var sum = 0.0;
  var hits = 0.0;
  for (var n = 0u; n < params.n; n++) {
    let made = loss_of(y[start + n], targets[start + n]);
    sum += made.x;
    hits += made.z;
    dy[start + n] = factor * made.y;
  }
  loss[2u * m] = sum / f32(params.n);
  loss[2u * m + 1u] = hits / f32(params.n);
}
