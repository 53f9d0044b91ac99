//! use stream weights
// y[m, p, n] = pool p of z[m, n] over its positions,
// z[m, n, i] = scale[n] * sum over channels c and taps t of w[n, c, t] * x[m, i + t * dilation[n] - left[n], c]:
// random kernels along signals (src/weights/SPEC.md, 4.7), their weights regenerated, no z ever stored.
//
// One workgroup owns one unit and ROWS signals: its weights are generated once, into workgroup memory. A lane computes
// consecutive positions and pools them; two rounds join the lanes in the order of the positions, so that runs of
// positive positions join too. A position is positive where z > -b: one rounding, the same on every device where the
// sums are exact. Sums run over channels, then taps. Grid: (units, folded into two, ceil(M / ROWS)).

struct Params {
  m: u32,
  n: u32,
  taps: u32,
  length: u32,
  channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M, length, channels) row-major f32
@group(0) @binding(2) var<storage, read> kernels: array<u32>; // kernels: (N, 16) words, packed by kernelWords
@group(0) @binding(3) var<storage, read> b: array<f32>; // b: (N) f32
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // y: (M, POOLS, N) row-major f32

override ROWS: u32 = 4u;
override POOLS: u32 = 1u; // pools of a unit; the next four are their places, -1 for one that is not asked for
override PPV: i32 = 0;
override MAX: i32 = -1;
override MEAN: i32 = -1;
override STRETCH: i32 = -1;

const QUADS_PER_WORD = WEIGHTS_PER_WORD / 4u;
const LANES = 64u;

// What is known of consecutive positions.
struct Pooled {
  size: u32,
  positive: u32,
  head: u32, // positive positions before the first that is not
  tail: u32, // and after the last
  longest: u32,
  most: f32,
  sum: f32,
}

const LEAST = -3.4028234e38;

var<workgroup> w: array<f32, 136>; // 9 channels of 15 taps, rounded up to quads
var<workgroup> lanes: array<Pooled, LANES>;

fn join(a: Pooled, c: Pooled) -> Pooled {
  return Pooled(
    a.size + c.size,
    a.positive + c.positive,
    select(a.head, a.size + c.head, a.head == a.size),
    select(c.tail, c.size + a.tail, c.tail == c.size),
    max(max(a.longest, c.longest), a.tail + c.head),
    max(a.most, c.most),
    a.sum + c.sum,
  );
}

fn store(row: u32, place: i32, unit: u32, value: f32) {
  if (place >= 0) {
    y[(row * POOLS + u32(place)) * params.n + unit] = value;
  }
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  weights_prepare(lane, LANES);
  let unit = group.x + group.y * groups.x;
  if (unit >= params.n) {
    return;
  }
  let at = 16u * unit;
  let dilation = kernels[at + 2u];
  let left = kernels[at + 3u];
  let positions = kernels[at + 4u];
  let seen = kernels[at + 5u];
  let scale = bitcast<f32>(kernels[at + 6u]);
  let bias = b[unit];
  let taps = params.taps;

  if (4u * lane < seen * taps) {
    let key = stream_key(vec2u(kernels[at], kernels[at + 1u]));
    let quad = weights_quad(weights_word(key, lane / QUADS_PER_WORD), lane % QUADS_PER_WORD);
    for (var i = 0u; i < 4u; i++) {
      w[4u * lane + i] = quad[i];
    }
  }
  workgroupBarrier();
  if (lane < seen) {
    var sum = 0.0;
    for (var t = 0u; t < taps; t++) {
      sum += w[lane * taps + t];
    }
    for (var t = 0u; t < taps; t++) {
      w[lane * taps + t] = f32(taps) * w[lane * taps + t] - sum;
    }
  }

  let share = (positions + LANES - 1u) / LANES;
  let first = min(lane * share, positions);
  let last = min(first + share, positions);
  for (var i = 0u; i < ROWS; i++) {
    workgroupBarrier();
    let row = group.z * ROWS + i;
    var own = Pooled(last - first, 0u, 0u, 0u, 0u, LEAST, 0.0);
    if (row < params.m) {
      let signal = row * params.length;
      var run = 0u;
      for (var p = first; p < last; p++) {
        var z = 0.0;
        for (var c = 0u; c < seen; c++) {
          let channel = kernels[at + 7u + c];
          var q = p - left; // before the signal it wraps to a number beyond it
          for (var t = 0u; t < taps; t++) {
            if (q < params.length) {
              z += w[c * taps + t] * x[(signal + q) * params.channels + channel];
            }
            q += dilation;
          }
        }
        z *= scale;
        own.most = max(own.most, z);
        if (z > -bias) {
          own.positive++;
          own.sum += z + bias;
          run++;
          own.longest = max(own.longest, run);
          if (run == p - first + 1u) {
            own.head = run;
          }
        } else {
          run = 0u;
        }
      }
      own.tail = run;
    }
    lanes[lane] = own;
    workgroupBarrier();
    if (lane % 8u == 0u) {
      for (var j = 1u; j < 8u; j++) {
        own = join(own, lanes[lane + j]);
      }
      lanes[lane] = own;
    }
    workgroupBarrier();
    if (lane == 0u && row < params.m) {
      for (var j = 8u; j < LANES; j += 8u) {
        own = join(own, lanes[j]);
      }
      store(row, PPV, unit, f32(own.positive) / f32(positions));
      store(row, MAX, unit, own.most + bias);
      store(row, MEAN, unit, select(0.0, own.sum / f32(own.positive), own.positive > 0u));
      store(row, STRETCH, unit, f32(own.longest) / f32(positions));
    }
  }
}
