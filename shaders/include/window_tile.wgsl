// A register tile of a product whose left rows are windows over images:
//   sums[p, n] = sum over the taps (ty, tx) and over c < run of
//                input[start(p) + ty * tap_y + tx * tap_x + c] * filter[tap, c, n]
// Convolutions and their input gradients are such products. Windows are read in place and never copied. The input
// already has its border of zeros (pad_image), so no read needs a bounds check.
//
// One invocation owns 8 neighbouring positions x 8 outputs in registers: a weight is generated once for 8 positions, an
// input is read once for 8 outputs. Invocations of a workgroup differ only in their positions, so weights and tap
// addresses are uniform: a GPU computes them once for all lanes. No barrier. Sums run over taps, then channels, in
// rising order, in f32, whatever the number of images, so the result of an image does not depend on the batch.
//
// The kernel defines what to read, what to multiply it by and where to store the sums: read_input; filters_begin
// (called with the first output n); filters_near and filters_far (weights of outputs n ... n + 3 and n + 4 ... n + 7
// for the four elements k ... k + 3, one element per column); store.

struct Params {
  positions: u32, // over all images
  width: u32, // positions per line
  height: u32, // lines of positions per image
  n: u32, // outputs per position
  origin: u32, // input element of the first position; steps from there, in elements, modulo 2^32
  step_x: u32,
  step_y: u32,
  step_image: u32,
  run: u32, // contiguous channels of a tap
  taps_y: u32,
  taps_x: u32,
  tap_y: u32, // input elements from one tap to the next
  tap_x: u32,
  first_tap: u32, // tap numbers as the filter counts them
  next_tap_y: u32,
  next_tap_x: u32,
  out_origin: u32, // output element of the first position, then the steps from there
  out_x: u32,
  out_y: u32,
  out_image: u32,
  scale: f32, // of integer weights
}

override QUADS: bool = true; // whether a run is a multiple of four, so that four elements are contiguous

const POSITIONS = 8u;
const OUTPUTS = 8u;
const LANES = 64u;

struct Place {
  index: u32,
  image: u32,
  y: u32,
  x: u32,
}

fn place_at(index: u32) -> Place {
  let line = index / params.width;
  let image = line / params.height;
  return Place(index, image, line - image * params.height, index - line * params.width);
}

// The next position. After the last one it repeats the last, whose sums are stored only once.
fn next_place(place: Place) -> Place {
  var p = place;
  if (p.index + 1u >= params.positions) {
    return p;
  }
  p.index++;
  p.x++;
  if (p.x == params.width) {
    p.x = 0u;
    p.y++;
  }
  if (p.y == params.height) {
    p.y = 0u;
    p.image++;
  }
  return p;
}

fn input_of(p: Place) -> u32 {
  return params.origin + p.image * params.step_image + p.y * params.step_y + p.x * params.step_x;
}

// An element of a window: its offset from the window's first element, and its number.
struct Element {
  offset: u32,
  tap: u32,
  c: u32,
  tx: u32,
}

fn next_element(element: Element) -> Element {
  var e = element;
  e.c++;
  e.offset++;
  if (e.c == params.run) {
    e.c = 0u;
    e.offset += params.tap_x - params.run;
    e.tap += params.next_tap_x;
    e.tx++;
    if (e.tx == params.taps_x) {
      e.tx = 0u;
      e.offset += params.tap_y - params.taps_x * params.tap_x;
      e.tap += params.next_tap_y - params.taps_x * params.next_tap_x;
    }
  }
  return e;
}

fn inputs_at(at: u32, offset: vec4u) -> vec4f {
  if (QUADS) {
    let first = at + offset.x;
    return vec4f(read_input(first), read_input(first + 1u), read_input(first + 2u), read_input(first + 3u));
  }
  return vec4f(
    read_input(at + offset.x),
    read_input(at + offset.y),
    read_input(at + offset.z),
    read_input(at + offset.w),
  );
}

// Adds four more inputs `v` to the sums of four outputs of a position. Each column of `w` holds one input's four
// weights.
fn add(sum: vec4f, v: vec4f, w: mat4x4f) -> vec4f {
  var s = sum;
  s += v.x * w[0];
  s += v.y * w[1];
  s += v.z * w[2];
  s += v.w * w[3];
  return s;
}

// Grid: (groups, ceil(N / 8), more groups), with 64 invocations of 8 positions per group. If there are fewer groups
// than needed, each group loops over the remaining positions.
fn tile(group: vec3u, groups: vec3u, lane: u32) {
  let n = group.y * OUTPUTS;
  filters_begin(n);
  let step = groups.x * groups.z * LANES;
  for (var first = (group.x + group.z * groups.x) * LANES + lane; first * POSITIONS < params.positions; first += step) {
    one_tile(first, n);
  }
}

fn one_tile(first: u32, n: u32) {
  let place0 = place_at(first * POSITIONS);
  let place1 = next_place(place0);
  let place2 = next_place(place1);
  let place3 = next_place(place2);
  let place4 = next_place(place3);
  let place5 = next_place(place4);
  let place6 = next_place(place5);
  let place7 = next_place(place6);
  let at0 = input_of(place0);
  let at1 = input_of(place1);
  let at2 = input_of(place2);
  let at3 = input_of(place3);
  let at4 = input_of(place4);
  let at5 = input_of(place5);
  let at6 = input_of(place6);
  let at7 = input_of(place7);
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
  let size = params.taps_y * params.taps_x * params.run;
  var e = Element(0u, params.first_tap, 0u, 0u);
  for (var k = 0u; k < size; k += 4u) {
    let e0 = e;
    let e1 = next_element(e0);
    let e2 = next_element(e1);
    let e3 = next_element(e2);
    e = next_element(e3);
    var w = filters_near(k, array<Element, 4>(e0, e1, e2, e3));
    var far_w = filters_far(k, array<Element, 4>(e0, e1, e2, e3));
    var offset = vec4u(e0.offset, e1.offset, e2.offset, e3.offset);
    if (!QUADS && k + 4u > size) { // past the last element, repeat the first one with weight 0
      let past = vec4u(k, k + 1u, k + 2u, k + 3u) >= vec4u(size);
      offset = select(offset, vec4u(offset.x), past);
      let weight = select(vec4f(1.0), vec4f(), past);
      w = mat4x4f(w[0], w[1] * weight.y, w[2] * weight.z, w[3] * weight.w);
      far_w = mat4x4f(far_w[0], far_w[1] * weight.y, far_w[2] * weight.z, far_w[3] * weight.w);
    }
    let v0 = inputs_at(at0, offset);
    near0 = add(near0, v0, w);
    far0 = add(far0, v0, far_w);
    let v1 = inputs_at(at1, offset);
    near1 = add(near1, v1, w);
    far1 = add(far1, v1, far_w);
    let v2 = inputs_at(at2, offset);
    near2 = add(near2, v2, w);
    far2 = add(far2, v2, far_w);
    let v3 = inputs_at(at3, offset);
    near3 = add(near3, v3, w);
    far3 = add(far3, v3, far_w);
    let v4 = inputs_at(at4, offset);
    near4 = add(near4, v4, w);
    far4 = add(far4, v4, far_w);
    let v5 = inputs_at(at5, offset);
    near5 = add(near5, v5, w);
    far5 = add(far5, v5, far_w);
    let v6 = inputs_at(at6, offset);
    near6 = add(near6, v6, w);
    far6 = add(far6, v6, far_w);
    let v7 = inputs_at(at7, offset);
    near7 = add(near7, v7, w);
    far7 = add(far7, v7, far_w);
  }
  // One loop, so that the activation is compiled only once.
  var nears = array<vec4f, 8>(near0, near1, near2, near3, near4, near5, near6, near7);
  var fars = array<vec4f, 8>(far0, far1, far2, far3, far4, far5, far6, far7);
  let count = min(POSITIONS, params.positions - place0.index);
  let outputs = min(OUTPUTS, params.n - n);
  var place = place0;
  for (var i = 0u; i < count; i++) {
    let out = params.out_origin + place.image * params.out_image + place.y * params.out_y + place.x * params.out_x + n;
    for (var j = 0u; j < outputs; j++) {
      store(out + j, n + j, select(fars[i][j & 3u], nears[i][j & 3u], j < 4u));
    }
    place = next_place(place);
  }
}
