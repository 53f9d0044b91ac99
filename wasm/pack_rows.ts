/** Packs rows into interleaved blocks of four, the layout that the products read, and unpacks results. */

/** Stores the columns of the 4 x 4 floats of four rows, times `factor`, `stride` bytes apart. */
// @ts-ignore: decorator
@inline
function transpose(r0: v128, r1: v128, r2: v128, r3: v128, factor: v128, to: usize, stride: usize): void {
  const low0 = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5);
  const high0 = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7);
  const low1 = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5);
  const high1 = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, f32x4.mul(factor, v128.shuffle<f32>(low0, low1, 0, 1, 4, 5)));
  v128.store(to + stride, f32x4.mul(factor, v128.shuffle<f32>(low0, low1, 2, 3, 6, 7)));
  v128.store(to + 2 * stride, f32x4.mul(factor, v128.shuffle<f32>(high0, high1, 0, 1, 4, 5)));
  v128.store(to + 3 * stride, f32x4.mul(factor, v128.shuffle<f32>(high0, high1, 2, 3, 6, 7)));
}

/** out: for each block of four rows (depth, 4) f32 of a (m, k), zeros beyond. Strides in bytes. */
export function packRows(a: usize, strideM: i32, strideK: i32, m: i32, k: i32, depth: i32, out: usize): void {
  const one = f32x4.splat(1);
  const block = <usize>depth << 4;
  let row = 0;
  if (strideM == 4) {
    // Four blocks at a time read whole cache lines.
    for (; row + 16 <= m; row += 16, out += 3 * block) {
      for (let i = 0, p = a + (<usize>row << 2); i < depth; i++, p += strideK, out += 16) {
        const inside = i < k;
        v128.store(out, inside ? v128.load(p) : f32x4.splat(0));
        v128.store(out + block, inside ? v128.load(p, 16) : f32x4.splat(0));
        v128.store(out + 2 * block, inside ? v128.load(p, 32) : f32x4.splat(0));
        v128.store(out + 3 * block, inside ? v128.load(p, 48) : f32x4.splat(0));
      }
    }
  }
  for (; row < m; row += 4) {
    const from = a + <usize>row * strideM;
    let i = 0;
    if (row + 4 <= m && strideK == 4) {
      for (let p = from; i + 4 <= k; i += 4, p += 16, out += 64) {
        const r2 = p + 2 * <usize>strideM;
        transpose(v128.load(p), v128.load(p + strideM), v128.load(r2), v128.load(r2 + strideM), one, out, 16);
      }
    } else if (row + 4 <= m && strideM == 4) {
      for (let p = from; i < k; i++, p += strideK, out += 16) v128.store(out, v128.load(p));
    }
    for (; i < depth; i++, out += 16) {
      const p = from + <usize>i * strideK;
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
  const factor = f32x4.splat(scale);
  const line = <usize>n << 2;
  for (let row = 0; row < m; row += 4, acc += <usize>stride << 4, z += line << 2) {
    let c = 0;
    if (row + 4 <= m) {
      for (let p = acc, to = z; c + 4 <= n; c += 4, p += 64, to += 16) {
        transpose(v128.load(p), v128.load(p, 16), v128.load(p, 32), v128.load(p, 48), factor, to, line);
      }
    }
    for (; c < n; c++) {
      const p = acc + (<usize>c << 4);
      for (let r = 0, to = z + (<usize>c << 2); r < min(4, m - row); r++, to += line) {
        store<f32>(to, scale * load<f32>(p + (<usize>r << 2)));
      }
    }
  }
}

/** to (count) = factor * from. */
export function scale(from: usize, count: i32, factor: f32, to: usize): void {
  for (const end = from + (<usize>count << 2); from < end; from += 4, to += 4) store<f32>(to, factor * load<f32>(from));
}
