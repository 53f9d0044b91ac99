/**
 * The products of columns with each other: g (n, n) = x' x for x (m, n) row-major, its upper triangle; 0 below it. Rows
 * are packed DEPTH at a time into panels of eight columns. Tiles of 4 x 8 stay in registers. Each sum adds blocks of
 * DEPTH rows in rising order.
 */
import { DEPTH, TABLES } from './memory';

/** out: for each eight columns of x, (depth, 8) f32, zeros beyond n. */
function packPanels(x: usize, n: i32, depth: i32, out: usize): void {
  const row = <usize>n << 2;
  for (let column = 0; column < n; column += 8) {
    let from = x + (<usize>column << 2);
    for (let k = 0; k < depth; k++, from += row, out += 32) {
      if (column + 8 <= n) {
        v128.store(out, v128.load(from));
        v128.store(out, v128.load(from, 16), 16);
      } else {
        for (let c = 0; c < 8; c++) store<f32>(out + (<usize>c << 2), column + c < n ? load<f32>(from + (<usize>c << 2)) : 0);
      }
    }
  }
}

/** out (4, 8) = the product of four columns at a and eight at b, both with 32 bytes a row. */
function tile(a: usize, b: usize, depth: i32, out: usize): void {
  let near0 = f32x4.splat(0);
  let far0 = near0;
  let near1 = near0;
  let far1 = near0;
  let near2 = near0;
  let far2 = near0;
  let near3 = near0;
  let far3 = near0;
  for (const end = a + (<usize>depth << 5); a < end; a += 32, b += 32) {
    const near = v128.load(b);
    const far = v128.load(b, 16);
    let v = v128.load32_splat(a);
    near0 = f32x4.add(near0, f32x4.mul(v, near));
    far0 = f32x4.add(far0, f32x4.mul(v, far));
    v = v128.load32_splat(a, 4);
    near1 = f32x4.add(near1, f32x4.mul(v, near));
    far1 = f32x4.add(far1, f32x4.mul(v, far));
    v = v128.load32_splat(a, 8);
    near2 = f32x4.add(near2, f32x4.mul(v, near));
    far2 = f32x4.add(far2, f32x4.mul(v, far));
    v = v128.load32_splat(a, 12);
    near3 = f32x4.add(near3, f32x4.mul(v, near));
    far3 = f32x4.add(far3, f32x4.mul(v, far));
  }
  v128.store(out, near0);
  v128.store(out, far0, 16);
  v128.store(out, near1, 32);
  v128.store(out, far1, 48);
  v128.store(out, near2, 64);
  v128.store(out, far2, 80);
  v128.store(out, near3, 96);
  v128.store(out, far3, 112);
}

/** Stores or adds eight sums of a row of g from `column` on. */
// @ts-ignore: decorator
@inline
function storeSums(sums: usize, g: usize, columns: i32, added: bool): void {
  if (columns >= 8) {
    const near = v128.load(sums);
    const far = v128.load(sums, 16);
    v128.store(g, added ? f32x4.add(v128.load(g), near) : near);
    v128.store(g, added ? f32x4.add(v128.load(g, 16), far) : far, 16);
    return;
  }
  for (let c = 0; c < columns; c++) {
    const at = <usize>c << 2;
    store<f32>(g + at, added ? load<f32>(g + at) + load<f32>(sums + at) : load<f32>(sums + at));
  }
}

/** panels: (DEPTH, n) f32, n rounded up to a multiple of 8. */
export function gram(x: usize, m: i32, n: i32, panels: usize, g: usize): void {
  const row = <usize>n << 2;
  for (let first = 0; first < m; first += DEPTH) {
    const depth = min(DEPTH, m - first);
    const panel = <usize>depth << 5;
    packPanels(x + <usize>first * row, n, depth, panels);
    for (let i = 0; i < n; i += 4) {
      const a = panels + <usize>(i >> 3) * panel + (<usize>(i & 4) << 2);
      for (let j = i & ~7; j < n; j += 8) {
        tile(a, panels + <usize>(j >> 3) * panel, depth, TABLES);
        const to = g + <usize>i * row + (<usize>j << 2);
        for (let r = 0; r < min(4, n - i); r++) {
          storeSums(TABLES + (<usize>r << 5), to + <usize>r * row, n - j, first > 0);
        }
      }
    }
  }
  for (let i: usize = 1; i < <usize>n; i++) memory.fill(g + i * row, 0, i << 2);
}
