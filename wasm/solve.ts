/**
 * Linear algebra in float64 for the solvers (src/solve/), in a module with a memory of its own. Matrices are row-major;
 * strides are in bytes. Sizes are multiples of 4, padded by the host. Products run in register tiles of 4 x 4 on
 * operands packed in panels of four columns; each sum runs over the rows in rising order.
 */

/** Rows that are packed at a time: two panels of 4 x 64 f64 stay in the L1 cache. */
const BLOCK: i32 = 64;

/** out: for each four columns of x, (rows, 4) f64. */
function pack(x: usize, stride: i32, columns: i32, rows: i32, out: usize): void {
  for (let c = 0; c < columns; c += 4) {
    let from = x + (<usize>c << 3);
    for (let k = 0; k < rows; k++, from += stride, out += 32) {
      v128.store(out, v128.load(from));
      v128.store(out, v128.load(from, 16), 16);
    }
  }
}

// @ts-ignore: decorator
@inline
function add(c: usize, near: v128, far: v128, sign: v128): void {
  v128.store(c, f64x2.add(v128.load(c), f64x2.mul(sign, near)));
  v128.store(c, f64x2.add(v128.load(c, 16), f64x2.mul(sign, far)), 16);
}

/** c (4, 4) += sign * the product of two packed panels. */
function tile(x: usize, y: usize, rows: i32, sign: f64, c: usize, stride: i32): void {
  let near0 = f64x2.splat(0);
  let far0 = near0;
  let near1 = near0;
  let far1 = near0;
  let near2 = near0;
  let far2 = near0;
  let near3 = near0;
  let far3 = near0;
  for (const end = x + (<usize>rows << 5); x < end; x += 32, y += 32) {
    const near = v128.load(y);
    const far = v128.load(y, 16);
    let a = v128.load64_splat(x);
    near0 = f64x2.add(near0, f64x2.mul(a, near));
    far0 = f64x2.add(far0, f64x2.mul(a, far));
    a = v128.load64_splat(x, 8);
    near1 = f64x2.add(near1, f64x2.mul(a, near));
    far1 = f64x2.add(far1, f64x2.mul(a, far));
    a = v128.load64_splat(x, 16);
    near2 = f64x2.add(near2, f64x2.mul(a, near));
    far2 = f64x2.add(far2, f64x2.mul(a, far));
    a = v128.load64_splat(x, 24);
    near3 = f64x2.add(near3, f64x2.mul(a, near));
    far3 = f64x2.add(far3, f64x2.mul(a, far));
  }
  const signs = f64x2.splat(sign);
  add(c, near0, far0, signs);
  add(c + stride, near1, far1, signs);
  add(c + 2 * stride, near2, far2, signs);
  add(c + 3 * stride, near3, far3, signs);
}

/**
 * c (nx, ny) += sign * x' y for x (rows, nx) and y (rows, ny). Where x is y, only the tiles on and above the diagonal.
 * scratch: 64 (nx + ny) f64.
 */
export function accumulate(
  x: usize,
  strideX: i32,
  nx: i32,
  y: usize,
  strideY: i32,
  ny: i32,
  rows: i32,
  sign: f64,
  c: usize,
  strideC: i32,
  scratch: usize,
): void {
  const symmetric = x == y;
  for (let first = 0; first < rows; first += BLOCK) {
    const depth = min(BLOCK, rows - first);
    const panel = <usize>depth << 5;
    pack(x + <usize>first * strideX, strideX, nx, depth, scratch);
    let other = scratch;
    if (!symmetric) {
      other = scratch + ((<usize>BLOCK * nx) << 3);
      pack(y + <usize>first * strideY, strideY, ny, depth, other);
    }
    for (let i = 0; i < nx; i += 4) {
      const row = c + <usize>i * strideC;
      const a = scratch + <usize>(i >> 2) * panel;
      for (let j = symmetric ? i : 0; j < ny; j += 4) {
        tile(a, other + <usize>(j >> 2) * panel, depth, sign, row + (<usize>j << 3), strideC);
      }
    }
  }
}

/** to -= factor * from, from byte `start` to `end`. */
// @ts-ignore: decorator
@inline
function subtract(factor: f64, from: usize, to: usize, start: usize, end: usize): void {
  const f = f64x2.splat(factor);
  for (let c = start; c < end; c += 16) {
    v128.store(to + c, f64x2.sub(v128.load(to + c), f64x2.mul(f, v128.load(from + c))));
  }
}

// @ts-ignore: decorator
@inline
function scaleRow(row: usize, factor: f64, start: usize, end: usize): void {
  const f = f64x2.splat(factor);
  for (let c = start; c < end; c += 16) v128.store(row + c, f64x2.mul(f, v128.load(row + c)));
}

/**
 * Cholesky: a (n, n) = u' u. Reads and writes the upper triangle; what lies below the diagonal is undefined then.
 * Returns 0, or the number of the first row (from 1) whose pivot is not positive. scratch: 64 n f64.
 */
export function cholesky(a: usize, n: i32, scratch: usize): i32 {
  const stride = n << 3;
  const end = <usize>stride;
  for (let first = 0; first < n; first += BLOCK) {
    const last = min(first + BLOCK, n);
    for (let k = first; k < last; k++) {
      const row = a + <usize>k * stride;
      const start = (<usize>k << 3) & ~15;
      for (let p = first; p < k; p++) {
        const above = a + <usize>p * stride;
        subtract(load<f64>(above + (<usize>k << 3)), above, row, start, end);
      }
      const pivot = load<f64>(row + (<usize>k << 3));
      if (!(pivot > 0)) return k + 1;
      scaleRow(row, 1 / Math.sqrt(pivot), start, end);
    }
    if (last < n) {
      const rest = a + <usize>first * stride + (<usize>last << 3);
      const corner = a + <usize>last * stride + (<usize>last << 3);
      accumulate(rest, stride, n - last, rest, stride, n - last, last - first, -1, corner, stride, scratch);
    }
  }
  return 0;
}

/** Solves u' y = b in place: b (n, m). scratch: 64 (n + m) f64. */
export function solveLower(u: usize, n: i32, b: usize, m: i32, scratch: usize): void {
  const stride = n << 3;
  const width = m << 3;
  for (let first = 0; first < n; first += BLOCK) {
    const last = min(first + BLOCK, n);
    for (let k = first; k < last; k++) {
      const row = b + <usize>k * width;
      const column = u + (<usize>k << 3);
      for (let p = first; p < k; p++) {
        subtract(load<f64>(column + <usize>p * stride), b + <usize>p * width, row, 0, width);
      }
      scaleRow(row, 1 / load<f64>(column + <usize>k * stride), 0, width);
    }
    if (last < n) {
      const rest = u + <usize>first * stride + (<usize>last << 3);
      const solved = b + <usize>first * width;
      accumulate(rest, stride, n - last, solved, width, m, last - first, -1, b + <usize>last * width, width, scratch);
    }
  }
}

/** Solves u x = b in place: b (n, m), for few columns. */
export function solveUpper(u: usize, n: i32, b: usize, m: i32): void {
  const stride = n << 3;
  const width = m << 3;
  for (let i = n - 1; i >= 0; i--) {
    const diagonal = u + <usize>i * stride + (<usize>i << 3);
    const factor = f64x2.splat(1 / load<f64>(diagonal));
    const rest = n - 1 - i;
    for (let c: i32 = 0; c < width; c += 32) {
      const at = b + <usize>i * width + c;
      let near = v128.load(at);
      let far = v128.load(at, 16);
      let p = diagonal + 8;
      let q = at + width;
      for (let k = 0; k < rest; k++, p += 8, q += width) {
        const a = v128.load64_splat(p);
        near = f64x2.sub(near, f64x2.mul(a, v128.load(q)));
        far = f64x2.sub(far, f64x2.mul(a, v128.load(q, 16)));
      }
      v128.store(at, f64x2.mul(factor, near));
      v128.store(at, f64x2.mul(factor, far), 16);
    }
  }
}
