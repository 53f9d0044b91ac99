/**
 * Products of windows read in place from one image; no window is ever copied. A window is a position (its start) and
 * segments (contiguous runs relative to the start): tables of byte offsets that src/cpu/convolution.ts makes once.
 * A register tile of 4 positions x 8 columns needs four scalars of the image per eight vector multiplications, as in
 * matmul. Sums run in the order of the segments.
 */

// @ts-ignore: decorator
@inline
function offset(table: usize, index: i32): usize {
  return load<u32>(table + (<usize>index << 2));
}

/** Stores the first `columns` (at most 8) of two vectors. */
// @ts-ignore: decorator
@inline
function storeColumns(to: usize, a: v128, b: v128, columns: i32): void {
  if (columns >= 8) {
    v128.store(to, a);
    v128.store(to, b, 16);
  } else {
    storeSome(to, a, b, columns);
  }
}

function storeSome(to: usize, a: v128, b: v128, columns: i32): void {
  let rest = a;
  if (columns >= 4) {
    v128.store(to, a);
    rest = b;
    to += 16;
    columns -= 4;
  }
  if (columns > 0) store<f32>(to, f32x4.extract_lane(rest, 0));
  if (columns > 1) store<f32>(to, f32x4.extract_lane(rest, 1), 4);
  if (columns > 2) store<f32>(to, f32x4.extract_lane(rest, 2), 8);
}

/**
 * z at each of `targets` (byte offsets, n f32 each) = the window at each of `positions` times a (k, n) matrix in panels
 * of eight columns, (k, 8) f32 each, with k the total length of the segments. `count`: a multiple of four, reached by
 * repeating the last position. segments: byte offset and length in bytes of each.
 */
export function windowTiles(
  x: usize,
  positions: usize,
  targets: usize,
  count: i32,
  segments: usize,
  segmentCount: i32,
  panels: usize,
  k: i32,
  n: i32,
  z: usize,
): void {
  const lastSegment = segments + (<usize>segmentCount << 3);
  for (let column = 0; column < n; column += 8, panels += <usize>k << 5) {
    const to = z + (<usize>column << 2);
    for (let i = 0; i < count; i += 4) {
      const x0 = x + offset(positions, i);
      const x1 = x + offset(positions, i + 1);
      const x2 = x + offset(positions, i + 2);
      const x3 = x + offset(positions, i + 3);
      let a0 = f32x4.splat(0);
      let b0 = a0;
      let a1 = a0;
      let b1 = a0;
      let a2 = a0;
      let b2 = a0;
      let a3 = a0;
      let b3 = a0;
      let w = panels;
      for (let s = segments; s < lastSegment; s += 8) {
        let at = <usize>load<u32>(s);
        for (const end = at + load<u32>(s, 4); at != end; at += 4, w += 32) {
          const u = v128.load(w);
          const v = v128.load(w, 16);
          let value = v128.load32_splat(x0 + at);
          a0 = f32x4.add(a0, f32x4.mul(value, u));
          b0 = f32x4.add(b0, f32x4.mul(value, v));
          value = v128.load32_splat(x1 + at);
          a1 = f32x4.add(a1, f32x4.mul(value, u));
          b1 = f32x4.add(b1, f32x4.mul(value, v));
          value = v128.load32_splat(x2 + at);
          a2 = f32x4.add(a2, f32x4.mul(value, u));
          b2 = f32x4.add(b2, f32x4.mul(value, v));
          value = v128.load32_splat(x3 + at);
          a3 = f32x4.add(a3, f32x4.mul(value, u));
          b3 = f32x4.add(b3, f32x4.mul(value, v));
        }
      }
      const columns = n - column;
      storeColumns(to + offset(targets, i), a0, b0, columns);
      storeColumns(to + offset(targets, i + 1), a1, b1, columns);
      storeColumns(to + offset(targets, i + 2), a2, b2, columns);
      storeColumns(to + offset(targets, i + 3), a3, b3, columns);
    }
  }
}

/**
 * Contiguous panels (k, 8) f32 += the transposed windows of one image times dz (count, stride) f32, where stride is the
 * number of columns rounded up to a multiple of eight. numbers: byte offset of each of the k elements of a window,
 * padded to a multiple of four with any values; the panels have the same depth.
 */
export function windowGradient(
  x: usize,
  positions: usize,
  count: i32,
  numbers: usize,
  k: i32,
  dz: usize,
  stride: i32,
  panels: usize,
): void {
  const row = <usize>stride << 2;
  const last = positions + (<usize>count << 2);
  for (let column: usize = 0; column < row; column += 32) {
    for (let i = 0; i < k; i += 4, panels += 128) {
      const x0 = x + offset(numbers, i);
      const x1 = x + offset(numbers, i + 1);
      const x2 = x + offset(numbers, i + 2);
      const x3 = x + offset(numbers, i + 3);
      let a0 = v128.load(panels);
      let b0 = v128.load(panels, 16);
      let a1 = v128.load(panels, 32);
      let b1 = v128.load(panels, 48);
      let a2 = v128.load(panels, 64);
      let b2 = v128.load(panels, 80);
      let a3 = v128.load(panels, 96);
      let b3 = v128.load(panels, 112);
      let d = dz + column;
      for (let p = positions; p < last; p += 4, d += row) {
        const at = <usize>load<u32>(p);
        const u = v128.load(d);
        const v = v128.load(d, 16);
        let value = v128.load32_splat(x0 + at);
        a0 = f32x4.add(a0, f32x4.mul(value, u));
        b0 = f32x4.add(b0, f32x4.mul(value, v));
        value = v128.load32_splat(x1 + at);
        a1 = f32x4.add(a1, f32x4.mul(value, u));
        b1 = f32x4.add(b1, f32x4.mul(value, v));
        value = v128.load32_splat(x2 + at);
        a2 = f32x4.add(a2, f32x4.mul(value, u));
        b2 = f32x4.add(b2, f32x4.mul(value, v));
        value = v128.load32_splat(x3 + at);
        a3 = f32x4.add(a3, f32x4.mul(value, u));
        b3 = f32x4.add(b3, f32x4.mul(value, v));
      }
      v128.store(panels, a0);
      v128.store(panels, b0, 16);
      v128.store(panels, a1, 32);
      v128.store(panels, b1, 48);
      v128.store(panels, a2, 64);
      v128.store(panels, b2, 80);
      v128.store(panels, a3, 96);
      v128.store(panels, b3, 112);
    }
  }
}

/**
 * Packs a matrix (rows, columns) into panels of eight columns: row i of a panel at `to` + 32 i, panels `stride` bytes
 * apart, zeros beyond the last column. Strides of the matrix in bytes.
 */
export function packPanels(
  from: usize,
  rows: i32,
  strideRow: i32,
  columns: i32,
  strideColumn: i32,
  to: usize,
  stride: i32,
): void {
  for (let column = 0; column < columns; column += 8, to += stride) {
    const count = min(8, columns - column);
    let p = from + <usize>column * strideColumn;
    let q = to;
    for (let i = 0; i < rows; i++, p += strideRow, q += 32) {
      if (count == 8 && strideColumn == 4) {
        v128.store(q, v128.load(p));
        v128.store(q, v128.load(p, 16), 16);
      } else {
        for (let c = 0; c < 8; c++) store<f32>(q + (<usize>c << 2), c < count ? load<f32>(p + <usize>c * strideColumn) : 0);
      }
    }
  }
}

/** Unpacks panels `stride` bytes apart to (rows, columns) f32. */
export function unpackPanels(panels: usize, rows: i32, columns: i32, stride: i32, to: usize): void {
  const row = <usize>columns << 2;
  for (let column = 0; column < columns; column += 8, panels += stride, to += 32) {
    for (let i: usize = 0; i < <usize>rows; i++) {
      const p = panels + (i << 5);
      storeColumns(to + i * row, v128.load(p), v128.load(p, 16), columns - column);
    }
  }
}

/** Copies lines of f32 from one stride (bytes) to another: an image into its border, or columns into padded ones. */
export function copyLines(from: usize, stride: i32, lines: i32, bytes: i32, to: usize, toStride: i32): void {
  for (let i = 0; i < lines; i++, from += stride, to += toStride) memory.copy(to, from, bytes);
}
