/**
 * The product of packed rows (pack_rows) and a panel of eight columns, at most DEPTH deep, of regenerated or copied
 * weights. Tiles of 4 rows x 8 columns stay in registers. All sums run in the order of k.
 */
import { DEPTH, PANEL } from './memory';

// @ts-ignore: decorator
@inline
function at(base: usize, row: usize): v128 {
  return v128.load(base + (row << 4));
}

/**
 * acc += a times the panel. a: `blocks` of four rows, each (k, 4) f32, from depth `first` on. acc: for each block
 * (4, 8) f32 of these eight columns, `stride` bytes apart.
 */
export function multiplyPanel(a: usize, blocks: i32, k: i32, first: i32, depth: i32, acc: usize, stride: i32): void {
  for (let block = 0; block < blocks; block++, acc += stride) {
    let p = a + ((<usize>block * k + first) << 4);
    let a0 = at(acc, 0);
    let b0 = at(acc, 1);
    let a1 = at(acc, 2);
    let b1 = at(acc, 3);
    let a2 = at(acc, 4);
    let b2 = at(acc, 5);
    let a3 = at(acc, 6);
    let b3 = at(acc, 7);
    let w = PANEL;
    for (const end = p + (<usize>depth << 4); p < end; p += 16, w += 32) {
      const u = v128.load(w);
      const v = v128.load(w, 16);
      let x = v128.load32_splat(p);
      a0 = f32x4.add(a0, f32x4.mul(x, u));
      b0 = f32x4.add(b0, f32x4.mul(x, v));
      x = v128.load32_splat(p, 4);
      a1 = f32x4.add(a1, f32x4.mul(x, u));
      b1 = f32x4.add(b1, f32x4.mul(x, v));
      x = v128.load32_splat(p, 8);
      a2 = f32x4.add(a2, f32x4.mul(x, u));
      b2 = f32x4.add(b2, f32x4.mul(x, v));
      x = v128.load32_splat(p, 12);
      a3 = f32x4.add(a3, f32x4.mul(x, u));
      b3 = f32x4.add(b3, f32x4.mul(x, v));
    }
    v128.store(acc, a0);
    v128.store(acc, b0, 16);
    v128.store(acc, a1, 32);
    v128.store(acc, b1, 48);
    v128.store(acc, a2, 64);
    v128.store(acc, b2, 80);
    v128.store(acc, a3, 96);
    v128.store(acc, b3, 112);
  }
}

/** Copies columns `column` to `column` + 7 of b (k, n) from depth `first` on; zeros beyond n. Strides in bytes. */
function copyPanel(b: usize, strideK: i32, strideN: i32, first: i32, depth: i32, column: i32, n: i32): void {
  const columns = min(8, n - column);
  let from = b + <usize>first * strideK + <usize>column * strideN;
  let to = PANEL;
  for (let i = 0; i < depth; i++, from += strideK, to += 32) {
    if (columns == 8 && strideN == 4) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
    } else {
      for (let c = 0; c < 8; c++) store<f32>(to + (<usize>c << 2), c < columns ? load<f32>(from + <usize>c * strideN) : 0);
    }
  }
}

/** acc += a (packed, k deep) times b (k, n). acc: (4, 8) f32 for each block of four rows and every eight columns. */
export function matmul(a: usize, blocks: i32, k: i32, b: usize, strideK: i32, strideN: i32, n: i32, acc: usize): void {
  const stride = ((n + 7) >> 3) << 7;
  for (let column = 0; column < n; column += 8) {
    for (let first = 0; first < k; first += DEPTH) {
      const depth = min(DEPTH, k - first);
      copyPanel(b, strideK, strideN, first, depth, column, n);
      multiplyPanel(a, blocks, k, first, depth, acc + (<usize>column << 4), stride);
    }
  }
}

/** z (n) += x (k) times b (k, n): one row, reading eight rows of b at a time. z is padded to a multiple of 4. */
export function matmulRow(x: usize, k: i32, b: usize, n: i32, z: usize): void {
  const row = <usize>n << 2;
  const whole = row & ~15;
  let i = 0;
  for (; i + 8 <= k; i += 8, x += 32, b += row << 3) {
    const x0 = v128.load32_splat(x);
    const x1 = v128.load32_splat(x, 4);
    const x2 = v128.load32_splat(x, 8);
    const x3 = v128.load32_splat(x, 12);
    const x4 = v128.load32_splat(x, 16);
    const x5 = v128.load32_splat(x, 20);
    const x6 = v128.load32_splat(x, 24);
    const x7 = v128.load32_splat(x, 28);
    for (let c: usize = 0; c < whole; c += 16) {
      const p = b + c;
      let s = f32x4.add(v128.load(z + c), f32x4.mul(x0, v128.load(p)));
      s = f32x4.add(s, f32x4.mul(x1, v128.load(p + row)));
      s = f32x4.add(s, f32x4.mul(x2, v128.load(p + 2 * row)));
      s = f32x4.add(s, f32x4.mul(x3, v128.load(p + 3 * row)));
      s = f32x4.add(s, f32x4.mul(x4, v128.load(p + 4 * row)));
      s = f32x4.add(s, f32x4.mul(x5, v128.load(p + 5 * row)));
      s = f32x4.add(s, f32x4.mul(x6, v128.load(p + 6 * row)));
      v128.store(z + c, f32x4.add(s, f32x4.mul(x7, v128.load(p + 7 * row))));
    }
    for (let j: usize = 0; j < 8; j++) addColumns(load<f32>(x + (j << 2)), b + j * row, whole, row, z);
  }
  for (; i < k; i++, x += 4, b += row) {
    const x0 = v128.load32_splat(x);
    for (let c: usize = 0; c < whole; c += 16) {
      v128.store(z + c, f32x4.add(v128.load(z + c), f32x4.mul(x0, v128.load(b + c))));
    }
    addColumns(load<f32>(x), b, whole, row, z);
  }
}

/** The remaining columns, too few for a vector. */
// @ts-ignore: decorator
@inline
function addColumns(x: f32, b: usize, from: usize, end: usize, z: usize): void {
  for (let c = from; c < end; c += 4) store<f32>(z + c, load<f32>(z + c) + x * load<f32>(b + c));
}
