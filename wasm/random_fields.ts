/**
 * Rows times random receptive fields (src/weights/SPEC.md, 4.6) and times their transpose, every sum in f32. The
 * weights of a window are regenerated into the panel, as many lines as fit, then multiplied with all rows. Rows are
 * packed by four (pack_rows), so that four of them share each weight. Sums run in the order of the inputs, whatever the
 * number of rows.
 *
 * fields: 32 bytes per unit, then the table of hats, as packed by fieldWords (src/weights/fields.ts).
 */
import { PANEL } from './memory';
import { byteRun, signRun } from './runs';
import { SIGNS } from './signs';
import { word } from './stream';

/** Number of weights that fit in the panel. */
const ROOM: i32 = 2048;

const BITS: i32 = 1; // of `binary`
const HATS: i32 = 2;

/**
 * Writes `depth` weights of a hat along line `y`, pixel by pixel from column `left`, channels innermost, from `first`
 * on.
 */
function hatRun(field: usize, table: usize, y: i32, left: i32, channels: i32, first: i32, depth: i32, to: usize): void {
  const key0 = load<u32>(field);
  const key1 = load<u32>(field, 4);
  const centre = load<u32>(field, 16);
  const reciprocal = load<u32>(field, 20);
  const down = y - <i32>(centre & 0xffff);
  let across = left + first / channels - <i32>(centre >> 16);
  let c: u32 = first % channels;
  const start = word(key0, key1, 0);
  let h: u32 = c < 32 ? start : word(key0, key1, c >> 5);
  const end = to + (<usize>depth << 2);
  while (to < end) {
    const index = (<u32>(down * down + across * across) * reciprocal) >> 23;
    const hat: u32 = index < 256 ? load<u32>(table + (<usize>index << 2)) : 0;
    for (; c < <u32>channels && to < end; c++, to += 4) {
      if ((c & 31) == 0 && c > 0) h = word(key0, key1, c >> 5);
      // Beyond the hat this may store -0, which does not change a sum that starts at 0.
      store<u32>(to, hat ^ ((h >> (c & 31)) << 31));
    }
    c = 0;
    h = start;
    across++;
  }
}

// @ts-ignore: decorator
@inline
function fill(
  kind: i32,
  field: usize,
  table: usize,
  width: i32,
  channels: i32,
  y: i32,
  left: i32,
  first: i32,
  depth: i32,
  to: usize,
): void {
  if (kind == HATS) {
    hatRun(field, table, y, left, channels, first, depth, to);
    return;
  }
  const k: u32 = (y * width + left) * channels + first;
  if (kind == BITS) signRun(field, k, depth, to, SIGNS);
  else byteRun(field, k, depth, to);
}

/** z += the panel (`lines` of `depth` weights) times x. `block`: bytes between blocks; `skip`: bytes between lines. */
function gather(x: usize, blocks: i32, block: usize, skip: usize, lines: i32, depth: i32, z: usize, stride: usize): void {
  const length = <usize>depth << 4;
  let i = 0;
  for (; i + 4 <= blocks; i += 4, x += block << 2, z += stride << 2) {
    let s0 = v128.load(z);
    let s1 = v128.load(z + stride);
    let s2 = v128.load(z + 2 * stride);
    let s3 = v128.load(z + 3 * stride);
    let p = x;
    let q = x + block;
    let r = q + block;
    let t = r + block;
    let w = PANEL;
    for (let line = 0; line < lines; line++) {
      for (const end = p + length; p < end; p += 16, q += 16, r += 16, t += 16, w += 4) {
        const v = v128.load32_splat(w);
        s0 = f32x4.add(s0, f32x4.mul(v, v128.load(p)));
        s1 = f32x4.add(s1, f32x4.mul(v, v128.load(q)));
        s2 = f32x4.add(s2, f32x4.mul(v, v128.load(r)));
        s3 = f32x4.add(s3, f32x4.mul(v, v128.load(t)));
      }
      p += skip;
      q += skip;
      r += skip;
      t += skip;
    }
    v128.store(z, s0);
    v128.store(z + stride, s1);
    v128.store(z + 2 * stride, s2);
    v128.store(z + 3 * stride, s3);
  }
  for (; i < blocks; i++, x += block, z += stride) {
    let s = v128.load(z);
    let p = x;
    let w = PANEL;
    for (let line = 0; line < lines; line++, p += skip) {
      for (const end = p + length; p < end; p += 16, w += 4) {
        s = f32x4.add(s, f32x4.mul(v128.load32_splat(w), v128.load(p)));
      }
    }
    v128.store(z, s);
  }
}

/** dx += the panel times scale * dz. */
function scatter(
  dx: usize,
  blocks: i32,
  block: usize,
  skip: usize,
  lines: i32,
  depth: i32,
  dz: usize,
  stride: usize,
  scale: f32,
): void {
  const length = <usize>depth << 4;
  for (let i = 0; i < blocks; i++, dx += block, dz += stride) {
    const d = f32x4.mul(f32x4.splat(scale), v128.load(dz));
    let p = dx;
    let w = PANEL;
    for (let line = 0; line < lines; line++, p += skip) {
      for (const end = p + length; p < end; p += 16, w += 4) {
        v128.store(p, f32x4.add(v128.load(p), f32x4.mul(v128.load32_splat(w), d)));
      }
    }
  }
}

/**
 * Not transposed: z = x times the fields. Transposed: x += z times the fields. For each block of four rows, z holds
 * (units, 4) f32 and x holds (k, 4) f32. kind: 0 bytes, 1 signs, 2 hats.
 */
function product(
  x: usize,
  blocks: i32,
  k: i32,
  width: i32,
  channels: i32,
  fields: usize,
  n: i32,
  kind: i32,
  z: usize,
  transposed: bool,
): void {
  const stride = <usize>n << 4;
  const block = <usize>k << 4;
  const table = fields + (<usize>n << 5);
  for (let i = 0; i < n; i++, fields += 32) {
    const rows = load<u32>(fields, 8);
    const columns = load<u32>(fields, 12);
    const top = <i32>(rows & 0xffff);
    const height = <i32>(rows >> 16);
    const left = <i32>(columns & 0xffff);
    const line = <i32>(columns >> 16) * channels;
    const scale = load<f32>(fields, 24);
    const out = z + (<usize>load<u32>(fields, 28) << 4);
    if (!transposed) for (let b = 0, p = out; b < blocks; b++, p += stride) v128.store(p, f32x4.splat(0));
    for (let first = 0; first < line; first += ROOM) {
      const depth = min(ROOM, line - first);
      const most = ROOM / depth;
      const skip = <usize>(width * channels - depth) << 4;
      for (let y = 0; y < height; y += most) {
        const lines = min(most, height - y);
        for (let j = 0; j < lines; j++) {
          fill(kind, fields, table, width, channels, top + y + j, left, first, depth, PANEL + (<usize>(j * depth) << 2));
        }
        const start = x + (<usize>(((top + y) * width + left) * channels + first) << 4);
        if (transposed) scatter(start, blocks, block, skip, lines, depth, out, stride, scale);
        else gather(start, blocks, block, skip, lines, depth, out, stride);
      }
    }
    if (transposed) continue;
    for (let b = 0, p = out; b < blocks; b++, p += stride) {
      v128.store(p, f32x4.mul(f32x4.splat(scale), v128.load(p)));
    }
  }
}

/** z = x times the fields. For each block of four rows, z holds (n, 4) f32 and x holds (k, 4) f32. */
export function randomFields(
  x: usize,
  blocks: i32,
  k: i32,
  width: i32,
  channels: i32,
  fields: usize,
  n: i32,
  kind: i32,
  z: usize,
): void {
  product(x, blocks, k, width, channels, fields, n, kind, z, false);
}

/** dx += dz times the fields. For each block of four rows, dx holds (k, 4) f32 and dz holds (n, 4) f32. */
export function randomFieldsTransposed(
  dz: usize,
  blocks: i32,
  k: i32,
  width: i32,
  channels: i32,
  fields: usize,
  n: i32,
  kind: i32,
  dx: usize,
): void {
  product(dx, blocks, k, width, channels, fields, n, kind, dz, true);
}
