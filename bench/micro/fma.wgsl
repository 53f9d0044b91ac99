// out[i] = the sum of 32 independent chains of multiply-adds: the adapter's ceiling in f32.
// Grid: (N / 64, 1, 1) for N invocations.

struct Params {
  turns: u32,
  factor: f32,
  term: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: iterations of 32 multiply-adds; acc * factor + term
@group(0) @binding(1) var<storage, read_write> out: array<f32>; // out: (N) f32

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let turns = params.turns;
  let factor = vec4f(params.factor);
  let term = vec4f(params.term);
  let start = vec4f(f32(id.x)) + vec4f(0.1, 0.2, 0.3, 0.4);
  var acc0 = start;
  var acc1 = start + 1.0;
  var acc2 = start + 2.0;
  var acc3 = start + 3.0;
  var acc4 = start + 4.0;
  var acc5 = start + 5.0;
  var acc6 = start + 6.0;
  var acc7 = start + 7.0;
  for (var i = 0u; i < turns; i++) {
    acc0 = acc0 * factor + term;
    acc1 = acc1 * factor + term;
    acc2 = acc2 * factor + term;
    acc3 = acc3 * factor + term;
    acc4 = acc4 * factor + term;
    acc5 = acc5 * factor + term;
    acc6 = acc6 * factor + term;
    acc7 = acc7 * factor + term;
  }
  out[id.x] = dot(acc0 + acc1 + acc2 + acc3 + acc4 + acc5 + acc6 + acc7, vec4f(1.0));
}
