/** What wasm/ exports. Written by scripts/wasm-types.mjs: change the kernels, not this file. */

/** A byte offset into the kernels' memory. */
export type Address = number;

/** What dense networks predict with: the module that is loaded first. */
export interface IndexKernels {
  /** y may be z: each row is read before it is written, its last vector before the first one of the next row. */
  epilogue(z: Address, u: Address, b: Address, code: number, m: number, n: number, y: Address): void;
  /** acc += a (packed, k deep) times b (k, n). acc: (4, 8) f32 for each block of four rows and every eight columns. */
  matmul(
    a: Address,
    blocks: number,
    k: number,
    b: Address,
    strideK: number,
    strideN: number,
    n: number,
    acc: Address,
  ): void;
  /** z (n) += x (k) times b (k, n): one row, reading eight rows of b at a time. z is padded to a multiple of 4. */
  matmulRow(x: Address, k: number, b: Address, n: number, z: Address): void;
  /** v (p) = H D2 H D1 H D0 v. signs: the three diagonals, p bits each. */
  orthogonal(v: Address, p: number, signs: Address): void;
  /** out: for each block of four rows (depth, 4) f32 of a (m, k), zeros beyond. Strides in bytes. */
  packRows(a: Address, strideM: number, strideK: number, m: number, k: number, depth: number, out: Address): void;
  /** to (count) = factor * from. */
  scale(from: Address, count: number, factor: number, to: Address): void;
  /** z (m, n) = scale * acc, with acc (stride, 4) for each block of four rows. */
  unpackRows(acc: Address, m: number, n: number, stride: number, scale: number, z: Address): void;
  /** z (m, n) = scale * acc, with acc in the (4, 8) tiles that the products write. */
  unpackTiles(acc: Address, m: number, n: number, scale: number, z: Address): void;
  /**
   * acc += x (packed, k deep) times the integers. acc: (4, 8) f32 for each block of four rows and every eight units.
   * key0, key1: n words each, padded to a multiple of 8. kind: as in integers.ts or signs.ts.
   */
  randomMatmul(
    x: Address,
    blocks: number,
    k: number,
    key0: Address,
    key1: Address,
    kind: number,
    n: number,
    acc: Address,
  ): void;
  /**
   * Caches the integers for randomMatmulRow, one byte each, in blocks of inputs, eight units at a time. Within a block, a
   * unit's integers do not depend on the units after it. n: a multiple of 8. `to` needs room for all blocks at their full size,
   * and 32 more bytes.
   */
  cacheIntegers(k: number, key0: Address, key1: Address, kind: number, n: number, to: Address): void;
  /**
   * x: k f32, padded with zeros to a multiple of 4. key0, key1, z: n words each, n a multiple of 8. kind: as in
   * integers.ts. cached: address of the integers that cacheIntegers stored for these units and those after them,
   * cachedUnits in all; 0 if none are cached. An input that is not finite makes every sum NaN.
   */
  randomMatmulRow(
    x: Address,
    k: number,
    key0: Address,
    key1: Address,
    kind: number,
    n: number,
    z: Address,
    cached: Address,
    cachedUnits: number,
  ): void;
  /** x: k f32, padded with zeros to a multiple of 32. key0, key1, z: n words each, n a multiple of 16. */
  signNibbles(x: Address, k: number, key0: Address, key1: Address, n: number, z: Address): void;
  /**
   * x: `blocks` of four rows, each (k, 4) f32, zero-padded to a multiple of the inputs of a word, 32 or 64. key0, key1: n
   * words each, n a multiple of 4. kind: as in signs.ts. z: (n, 4) f32 for each block. scratch: n words.
   */
  signTables(
    x: Address,
    blocks: number,
    k: number,
    key0: Address,
    key1: Address,
    kind: number,
    n: number,
    z: Address,
    scratch: Address,
  ): void;
}

/** What training, images and receptive fields add (src/cpu/lazy-module.ts). */
export interface LazyKernels {
  /** c = a + b, `count` f32. */
  add(a: Address, b: Address, count: number, c: Address): void;
  /** c = a * b, `count` f32. */
  multiply(a: Address, b: Address, count: number, c: Address): void;
  /** y = 0 where word i of the key is below `threshold`, else factor * x. */
  dropout(x: Address, count: number, key0: number, key1: number, threshold: number, factor: number, y: Address): void;
  /** dz = dy g'(u z + b) u. */
  epilogueInputGradient(
    z: Address,
    u: Address,
    b: Address,
    code: number,
    m: number,
    n: number,
    dy: Address,
    dz: Address,
  ): void;
  /** du = sum over the rows of dy g'(u z + b) z; db is the same without z. If `du` is 0, only db is computed. */
  epilogueParameterGradient(
    z: Address,
    u: Address,
    b: Address,
    code: number,
    m: number,
    n: number,
    dy: Address,
    du: Address,
    db: Address,
  ): void;
  /** panels: (DEPTH, n) f32, n rounded up to a multiple of 8. */
  gram(x: Address, m: number, n: number, panels: Address, g: Address): void;
  /** loss (m, 2): cross-entropy in nats, and 1 for a hit; dlogits (m, n): gradient of the mean over the rows. */
  softmaxCrossEntropy(logits: Address, labels: Address, m: number, n: number, loss: Address, dlogits: Address): void;
  /** The loss (m, 2) and the gradient (m, n) of each row times the weight of its class; hits stay as they are. */
  classWeights(
    loss: Address,
    gradient: Address,
    labels: Address,
    weights: Address,
    m: number,
    n: number,
    weightedLoss: Address,
    weightedGradient: Address,
  ): void;
  /** loss (m, 2): means over the columns of the loss and of the hits; dy (m, n): gradient of the mean over the rows. */
  elementwiseLoss(y: Address, targets: Address, code: number, m: number, n: number, loss: Address, dy: Address): void;
  /** Adam (arXiv:1412.6980) with decoupled weight decay (arXiv:1711.05101). correction1, correction2: 1 - beta^t. */
  adam(
    value: Address,
    gradient: Address,
    moment1: Address,
    moment2: Address,
    count: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    decay: number,
    rate: number,
    correction1: number,
    correction2: number,
  ): void;
  /** Gradient descent with momentum. */
  sgd(value: Address, gradient: Address, velocity: Address, count: number, momentum: number, rate: number): void;
  /** v (p) = D0 H D1 H D2 H v. */
  orthogonalTransposed(v: Address, p: number, signs: Address): void;
  /** y (count, channels): the maximum of each window. */
  maxPool(
    x: Address,
    positions: Address,
    count: number,
    numbers: Address,
    size: number,
    channels: number,
    y: Address,
  ): void;
  /** Adds each dy to dx at the first maximum of its window. dx must hold zeros. */
  maxPoolGradient(
    x: Address,
    positions: Address,
    count: number,
    numbers: Address,
    size: number,
    channels: number,
    dy: Address,
    dx: Address,
  ): void;
  /** y (count, channels): the mean of each window. */
  averagePool(
    x: Address,
    positions: Address,
    count: number,
    numbers: Address,
    size: number,
    channels: number,
    y: Address,
  ): void;
  /** Adds each dy to dx, divided evenly among the pixels of its window. dx must hold zeros. */
  averagePoolGradient(
    positions: Address,
    count: number,
    numbers: Address,
    size: number,
    channels: number,
    dy: Address,
    dx: Address,
  ): void;
  /** z = x times the fields. For each block of four rows, z holds (n, 4) f32 and x holds (k, 4) f32. */
  randomFields(
    x: Address,
    blocks: number,
    k: number,
    width: number,
    channels: number,
    fields: Address,
    n: number,
    kind: number,
    z: Address,
  ): void;
  /** dx += dz times the fields. For each block of four rows, dx holds (k, 4) f32 and dz holds (n, 4) f32. */
  randomFieldsTransposed(
    dz: Address,
    blocks: number,
    k: number,
    width: number,
    channels: number,
    fields: Address,
    n: number,
    kind: number,
    dx: Address,
  ): void;
  /**
   * y (m, pools, n) = n random kernels along m signals x (m, length, channels), pooled. `tile`: signals at a time; `pad`:
   * zeros before a signal; `width`: samples that each channel takes in scratch memory, all zeros included. scratch:
   * (tile, channels, width) f32, then products: length + 16 f32.
   */
  randomKernels(
    x: Address,
    m: number,
    length: number,
    channels: number,
    taps: number,
    kernels: Address,
    n: number,
    kind: number,
    bias: Address,
    pools: number,
    tile: number,
    pad: number,
    width: number,
    scratch: Address,
    y: Address,
  ): void;
  /** out (k, n) f32 = factor * the integers, transposed: filters as a matrix. Keys as above. */
  randomFilters(key0: Address, key1: Address, kind: number, k: number, n: number, factor: number, out: Address): void;
  /**
   * acc += dz (packed, n deep) times the integers. acc: (4, 8) f32 for each block of four rows and every eight inputs.
   */
  randomMatmulTransposed(
    dz: Address,
    blocks: number,
    n: number,
    key0: Address,
    key1: Address,
    kind: number,
    k: number,
    acc: Address,
  ): void;
  /**
   * z at each of `targets` (byte offsets, n f32 each) = the window at each of `positions` times a (k, n) matrix in panels
   * of eight columns, (k, 8) f32 each, with k the total length of the segments. `count`: a multiple of four, reached by
   * repeating the last position. segments: byte offset and length in bytes of each.
   */
  windowTiles(
    x: Address,
    positions: Address,
    targets: Address,
    count: number,
    segments: Address,
    segmentCount: number,
    panels: Address,
    k: number,
    n: number,
    z: Address,
  ): void;
  /**
   * Contiguous panels (k, 8) f32 += the transposed windows of one image times dz (count, stride) f32, where stride is the
   * number of columns rounded up to a multiple of eight. numbers: byte offset of each of the k elements of a window,
   * padded to a multiple of four with any values; the panels have the same depth.
   */
  windowGradient(
    x: Address,
    positions: Address,
    count: number,
    numbers: Address,
    k: number,
    dz: Address,
    stride: number,
    panels: Address,
  ): void;
  /**
   * Packs a matrix (rows, columns) into panels of eight columns: row i of a panel at `to` + 32 i, panels `stride` bytes
   * apart, zeros beyond the last column. Strides of the matrix in bytes.
   */
  packPanels(
    from: Address,
    rows: number,
    strideRow: number,
    columns: number,
    strideColumn: number,
    to: Address,
    stride: number,
  ): void;
  /** Unpacks panels `stride` bytes apart to (rows, columns) f32. */
  unpackPanels(panels: Address, rows: number, columns: number, stride: number, to: Address): void;
  /** Copies lines of f32 from one stride (bytes) to another: an image into its border, or columns into padded ones. */
  copyLines(from: Address, stride: number, lines: number, bytes: number, to: Address, toStride: number): void;
}

/** What the module with relaxed SIMD has, in the place of kernels of the same names. */
export interface RelaxedKernels {
  /**
   * acc += x (packed, k deep) times the integers. acc: (4, 8) f32 for each block of four rows and every eight units.
   * key0, key1: n words each, padded to a multiple of 8. kind: as in integers.ts or signs.ts.
   */
  randomMatmul(
    x: Address,
    blocks: number,
    k: number,
    key0: Address,
    key1: Address,
    kind: number,
    n: number,
    acc: Address,
  ): void;
  /**
   * Caches the integers for randomMatmulRow, one byte each, in blocks of inputs, eight units at a time. Within a block, a
   * unit's integers do not depend on the units after it. n: a multiple of 8. `to` needs room for all blocks at their full size,
   * and 32 more bytes.
   */
  cacheIntegers(k: number, key0: Address, key1: Address, kind: number, n: number, to: Address): void;
  /**
   * x: k f32, padded with zeros to a multiple of 4. key0, key1, z: n words each, n a multiple of 8. kind: as in
   * integers.ts. cached: address of the integers that cacheIntegers stored for these units and those after them,
   * cachedUnits in all; 0 if none are cached. An input that is not finite makes every sum NaN.
   */
  randomMatmulRow(
    x: Address,
    k: number,
    key0: Address,
    key1: Address,
    kind: number,
    n: number,
    z: Address,
    cached: Address,
    cachedUnits: number,
  ): void;
  /** x: k f32, padded with zeros to a multiple of 32. key0, key1, z: n words each, n a multiple of 16. */
  signNibbles(x: Address, k: number, key0: Address, key1: Address, n: number, z: Address): void;
  /**
   * Whether relaxed instructions behave as on x86: lookups return 0 if the highest bit of the index is set and otherwise
   * use its lowest four bits; selections between bytes use the highest bit. An engine never changes its choice
   * (WebAssembly, relaxed SIMD). Where it differs, as on ARM, the strict instructions are as fast.
   */
  isAsOnX86(): number;
}
