/** Elementwise kernels. Arrays have room for a whole vector after their last element. */
import { storeFirst } from './store';
import { WEYL, words } from './stream';

/** c = a + b, `count` f32. */
export function add(a: usize, b: usize, count: i32, c: usize): void {
  const bytes = <usize>count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    storeFirst(c + i, f32x4.add(v128.load(a + i), v128.load(b + i)), bytes - i);
  }
}

/** c = a * b, `count` f32. */
export function multiply(a: usize, b: usize, count: i32, c: usize): void {
  const bytes = <usize>count << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    storeFirst(c + i, f32x4.mul(v128.load(a + i), v128.load(b + i)), bytes - i);
  }
}

/** y = 0 where word i of the key is below `threshold`, else factor * x. */
export function dropout(x: usize, count: i32, key0: i32, key1: i32, threshold: u32, factor: f32, y: usize): void {
  const bytes = <usize>count << 2;
  const second = i32x4.splat(key1);
  let counter = i32x4.add(i32x4.splat(key0), i32x4.mul(i32x4(0, 1, 2, 3), i32x4.splat(WEYL)));
  for (let i: usize = 0; i < bytes; i += 16) {
    const survivors = i32x4.ge_u(words(counter, second), i32x4.splat(threshold));
    counter = i32x4.add(counter, i32x4.splat(4 * WEYL));
    storeFirst(y + i, v128.and(survivors, f32x4.mul(f32x4.splat(factor), v128.load(x + i))), bytes - i);
  }
}
