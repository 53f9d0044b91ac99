// loss[m] = (cross-entropy of row m in nats, 1 if its largest logit is the label's, else 0),
// dlogits[m, n] = (softmax(logits[m])[n] - [n = label]) / M: the gradient of the mean over the rows.
// One invocation per row. It subtracts the largest logit first, so no exponent overflows. Ties go to the first logit.
// Grid: (ceil(M / 64), 1, 1).
// No product: memory-bound.

struct Params {
  m: u32,
  n: u32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: shapes
@group(0) @binding(1) var<storage, read> logits: array<f32>; // logits: (M, N) row-major f32
@group(0) @binding(2) var<storage, read> labels: array<u32>; // labels: (M) u32, each below N
@group(0) @binding(3) var<storage, read_write> loss: array<f32>; // loss: (M, 2) row-major f32
@group(0) @binding(4) var<storage, read_write> dlogits: array<f32>; // dlogits: (M, N) row-major f32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = id.x;
  if (m >= params.m) {
    return;
  }
  let start = m * params.n;
  let label = min(labels[m], params.n - 1u);
  var best = 0u;
  var largest = logits[start];
  for (var n = 1u; n < params.n; n++) {
    let value = logits[start + n];
    if (value > largest) {
      largest = value;
      best = n;
    }
  }
  var sum = 0.0;
  for (var n = 0u; n < params.n; n++) {
    sum += exp(logits[start + n] - largest);
  }
  loss[2u * m] = log(sum) - (logits[start + label] - largest);
  loss[2u * m + 1u] = select(0.0, 1.0, best == label);
  let rows = f32(params.m);
  for (var n = 0u; n < params.n; n++) {
    let share = exp(logits[start + n] - largest) / sum;
    dlogits[start + n] = (share - select(0.0, 1.0, n == label)) / rows;
  }
}
