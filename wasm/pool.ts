/**
 * Pooling of one image and its gradients, four channels at a time. positions: byte offset of each window. numbers: byte
 * offset of each pixel within a window. The channels of a pixel are contiguous. Every array has room for a whole vector
 * after its end.
 */
import { storeFirst } from './store';

/** y (count, channels): the maximum of each window. */
export function maxPool(
  x: usize,
  positions: usize,
  count: i32,
  numbers: usize,
  size: i32,
  channels: i32,
  y: usize,
): void {
  const row = <usize>channels << 2;
  const last = numbers + (<usize>size << 2);
  for (let i = 0; i < count; i++, y += row) {
    const window = x + load<u32>(positions + (<usize>i << 2));
    for (let c: usize = 0; c < row; c += 16) {
      let largest = f32x4.splat(-Infinity);
      for (let t = numbers; t < last; t += 4) largest = f32x4.pmax(largest, v128.load(window + load<u32>(t) + c));
      storeFirst(y + c, largest, row - c);
    }
  }
}

/** Adds each dy to dx at the first maximum of its window. dx must hold zeros. */
export function maxPoolGradient(
  x: usize,
  positions: usize,
  count: i32,
  numbers: usize,
  size: i32,
  channels: i32,
  dy: usize,
  dx: usize,
): void {
  const row = <usize>channels << 2;
  for (let i = 0; i < count; i++, dy += row) {
    const window = <usize>load<u32>(positions + (<usize>i << 2));
    for (let c: usize = 0; c < row; c += 16) {
      let largest = f32x4.splat(-Infinity);
      let which = i32x4.splat(0);
      for (let t = 0; t < size; t++) {
        const value = v128.load(x + window + load<u32>(numbers + (<usize>t << 2)) + c);
        const larger = f32x4.gt(value, largest);
        largest = v128.bitselect(value, largest, larger);
        which = v128.bitselect(i32x4.splat(t), which, larger);
      }
      const d = v128.load(dy + c);
      for (let t = 0; t < size; t++) {
        const to = dx + window + load<u32>(numbers + (<usize>t << 2)) + c;
        const here = v128.and(d, i32x4.eq(which, i32x4.splat(t)));
        storeFirst(to, f32x4.add(v128.load(to), here), row - c);
      }
    }
  }
}

/** y (count, channels): the mean of each window. */
export function averagePool(
  x: usize,
  positions: usize,
  count: i32,
  numbers: usize,
  size: i32,
  channels: i32,
  y: usize,
): void {
  const row = <usize>channels << 2;
  const last = numbers + (<usize>size << 2);
  const share = f32x4.splat(1 / <f32>size);
  for (let i = 0; i < count; i++, y += row) {
    const window = x + load<u32>(positions + (<usize>i << 2));
    for (let c: usize = 0; c < row; c += 16) {
      let sum = f32x4.splat(0);
      for (let t = numbers; t < last; t += 4) sum = f32x4.add(sum, v128.load(window + load<u32>(t) + c));
      storeFirst(y + c, f32x4.mul(sum, share), row - c);
    }
  }
}

/** Adds each dy to dx, divided evenly among the pixels of its window. dx must hold zeros. */
export function averagePoolGradient(
  positions: usize,
  count: i32,
  numbers: usize,
  size: i32,
  channels: i32,
  dy: usize,
  dx: usize,
): void {
  const row = <usize>channels << 2;
  const last = numbers + (<usize>size << 2);
  const share = f32x4.splat(1 / <f32>size);
  for (let i = 0; i < count; i++, dy += row) {
    const window = dx + load<u32>(positions + (<usize>i << 2));
    for (let c: usize = 0; c < row; c += 16) {
      const d = f32x4.mul(v128.load(dy + c), share);
      for (let t = numbers; t < last; t += 4) {
        const to = window + load<u32>(t) + c;
        storeFirst(to, f32x4.add(v128.load(to), d), row - c);
      }
    }
  }
}
