/** Packs rows into interleaved blocks of four, the layout that the products read, and unpacks results. */

/** out: for each block of four rows (depth, 4) f32 of a (m, k), zeros beyond. Strides in bytes. */
export function packRows(a: usize, strideM: i32, strideK: i32, m: i32, k: i32, depth: i32, out: usize): void {
  for (let row = 0; row < m; row += 4) {
    for (let i = 0; i < depth; i++, out += 16) {
      const p = a + <usize>row * strideM + <usize>i * strideK;
      for (let r = 0; r < 4; r++) {
        store<f32>(out + (<usize>r << 2), row + r < m && i < k ? load<f32>(p + <usize>r * strideM) : 0);
      }
    }
  }
}

/** z (m, n) = scale * acc, with acc in the (4, 8) tiles that the products write. */
export function unpackTiles(acc: usize, m: i32, n: i32, scale: f32, z: usize): void {
  const tiles = (n + 7) >> 3;
  for (let row = 0; row < m; row++) {
    let from = acc + <usize>(row >> 2) * (<usize>tiles << 7) + (<usize>(row & 3) << 5);
    const columns = <usize>n << 2;
    for (let c: usize = 0; c < columns; c += 32, from += 128, z += 32) {
      if (c + 32 <= columns) {
        v128.store(z, f32x4.mul(f32x4.splat(scale), v128.load(from)));
        v128.store(z, f32x4.mul(f32x4.splat(scale), v128.load(from, 16)), 16);
      } else {
        const rest = columns - c;
        for (let i: usize = 0; i < rest; i += 4) store<f32>(z + i, scale * load<f32>(from + i));
        z += rest - 32;
      }
    }
  }
}

/** z (m, n) = scale * acc, with acc (stride, 4) for each block of four rows. */
export function unpackRows(acc: usize, m: i32, n: i32, stride: i32, scale: f32, z: usize): void {
  for (let row = 0; row < m; row++) {
    let from = acc + ((<usize>(row >> 2) * stride) << 4) + (<usize>(row & 3) << 2);
    for (let c = 0; c < n; c++, from += 16, z += 4) store<f32>(z, scale * load<f32>(from));
  }
}

/** to (count) = factor * from. */
export function scale(from: usize, count: i32, factor: f32, to: usize): void {
  for (const end = from + (<usize>count << 2); from < end; from += 4, to += 4) store<f32>(to, factor * load<f32>(from));
}
