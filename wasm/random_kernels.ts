/**
 * Random kernels along signals (src/weights/SPEC.md, 4.7), pooled at once: the twin of kernels/random_kernels.wgsl. The
 * weights of a unit are regenerated into the panel, then used for a tile of signals. A signal is laid out channel by
 * channel with zeros around it, so that every tap is a load of consecutive samples. The results of one unit over one
 * signal lie in scratch memory and are pooled there. Sums run over channels, then taps.
 *
 * kernels: 64 bytes per unit, packed by kernelWords (src/weights/random-kernels.ts).
 */
import { PANEL } from './memory';
import { byteRun, signRun } from './runs';
import { SIGNS } from './signs';

/** Bits of `pools`, in the order of signalPools (src/core/signal-pools.ts). */
const PPV: i32 = 1;
const MAX: i32 = 2;
const MEAN: i32 = 4;
const STRETCH: i32 = 8;

/** Writes the integers of a unit: each channel's, minus their mean, times the number of taps. */
function weights(unit: usize, kind: i32, taps: i32): void {
  const seen = load<i32>(unit, 20);
  if (kind >= SIGNS) signRun(unit, 0, seen * taps, PANEL, kind);
  else byteRun(unit, 0, seen * taps, PANEL);
  let w = PANEL;
  for (let c = 0; c < seen; c++, w += <usize>taps << 2) {
    let sum: f32 = 0;
    for (let t = 0; t < taps; t++) sum += load<f32>(w + (<usize>t << 2));
    for (let t = 0; t < taps; t++) {
      const at = w + (<usize>t << 2);
      store<f32>(at, <f32>taps * load<f32>(at) - sum);
    }
  }
}

/** Lays a signal (length, channels) out as (channels, width) with `pad` zeros before each channel, and zeros behind. */
function spread(x: usize, length: i32, channels: i32, pad: i32, width: i32, to: usize): void {
  memory.fill(to, 0, (<usize>channels * width) << 2);
  for (let c = 0; c < channels; c++, to += <usize>width << 2) {
    let from = x + (<usize>c << 2);
    let at = to + (<usize>pad << 2);
    for (let i = 0; i < length; i++, from += <usize>channels << 2, at += 4) store<f32>(at, load<f32>(from));
  }
}

/** z (count) = the taps of one channel times x; added to z unless it is the `first` channel. Whole blocks of 16. */
function convolve(x: usize, w: usize, taps: i32, dilation: usize, count: i32, first: bool, z: usize): void {
  const end = w + (<usize>taps << 2);
  for (let i = 0; i < count; i += 16, x += 64, z += 64) {
    let s0 = f32x4.splat(0);
    let s1 = s0;
    let s2 = s0;
    let s3 = s0;
    if (!first) {
      s0 = v128.load(z);
      s1 = v128.load(z, 16);
      s2 = v128.load(z, 32);
      s3 = v128.load(z, 48);
    }
    for (let p = x, q = w; q < end; q += 4, p += dilation) {
      const v = v128.load32_splat(q);
      s0 = f32x4.add(s0, f32x4.mul(v, v128.load(p)));
      s1 = f32x4.add(s1, f32x4.mul(v, v128.load(p, 16)));
      s2 = f32x4.add(s2, f32x4.mul(v, v128.load(p, 32)));
      s3 = f32x4.add(s3, f32x4.mul(v, v128.load(p, 48)));
    }
    v128.store(z, s0);
    v128.store(z, s1, 16);
    v128.store(z, s2, 32);
    v128.store(z, s3, 48);
  }
}

/** How many of the products times `scale` exceed `threshold`. */
function countAbove(z: usize, count: i32, scale: f32, threshold: f32): i32 {
  const scales = f32x4.splat(scale);
  const thresholds = f32x4.splat(threshold);
  let counts = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4, z += 16) {
    counts = i32x4.sub(counts, f32x4.gt(f32x4.mul(scales, v128.load(z)), thresholds));
  }
  let positive =
    i32x4.extract_lane(counts, 0) +
    i32x4.extract_lane(counts, 1) +
    i32x4.extract_lane(counts, 2) +
    i32x4.extract_lane(counts, 3);
  for (; i < count; i++, z += 4) if (scale * load<f32>(z) > threshold) positive++;
  return positive;
}

/** The maximum of the products. */
function largest(z: usize, count: i32): f32 {
  let most = load<f32>(z);
  let i = 0;
  if (count >= 4) {
    let all = v128.load(z);
    for (; i + 4 <= count; i += 4) all = f32x4.max(all, v128.load(z + (<usize>i << 2)));
    for (let lane = 0; lane < 4; lane++, all = i8x16.shuffle(all, all, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3)) {
      most = max(most, f32x4.extract_lane(all, 0));
    }
  }
  for (; i < count; i++) most = max(most, load<f32>(z + (<usize>i << 2)));
  return most;
}

/** The sum of `scale` * z - `threshold` over the products that exceed it. */
function excess(z: usize, count: i32, scale: f32, threshold: f32): f32 {
  let sum: f32 = 0;
  for (let i = 0; i < count; i++) sum += max(<f32>0, scale * load<f32>(z + (<usize>i << 2)) - threshold);
  return sum;
}

/** The longest run of products that exceed the threshold. */
function longestRun(z: usize, count: i32, scale: f32, threshold: f32): i32 {
  let run = 0;
  let longest = 0;
  for (let i = 0; i < count; i++) {
    run = scale * load<f32>(z + (<usize>i << 2)) > threshold ? run + 1 : 0;
    longest = max(longest, run);
  }
  return longest;
}

/** Pools the products of one unit along one signal: one number for each bit of `pools`, `stride` bytes apart. */
function pool(z: usize, count: i32, scale: f32, bias: f32, pools: i32, y: usize, stride: usize): void {
  const positive = pools & (PPV | MEAN) ? countAbove(z, count, scale, -bias) : 0;
  if (pools & PPV) {
    store<f32>(y, <f32>positive / <f32>count);
    y += stride;
  }
  if (pools & MAX) {
    store<f32>(y, scale * largest(z, count) + bias);
    y += stride;
  }
  if (pools & MEAN) {
    store<f32>(y, positive > 0 ? excess(z, count, scale, -bias) / <f32>positive : 0);
    y += stride;
  }
  if (pools & STRETCH) store<f32>(y, <f32>longestRun(z, count, scale, -bias) / <f32>count);
}

/**
 * y (m, pools, n) = n random kernels along m signals x (m, length, channels), pooled. `tile`: signals at a time; `pad`:
 * zeros before a signal; `width`: samples that each channel takes in scratch memory, all zeros included. scratch:
 * (tile, channels, width) f32, then products: length + 16 f32.
 */
export function randomKernels(
  x: usize,
  m: i32,
  length: i32,
  channels: i32,
  taps: i32,
  kernels: usize,
  n: i32,
  kind: i32,
  bias: usize,
  pools: i32,
  tile: i32,
  pad: i32,
  width: i32,
  scratch: usize,
  y: usize,
): void {
  const signal = (<usize>channels * width) << 2;
  const z = scratch + <usize>tile * signal;
  const stride = <usize>n << 2;
  const row = <usize>popcnt(pools) * stride;
  for (let start = 0; start < m; start += tile) {
    const rows = min(tile, m - start);
    for (let r = 0; r < rows; r++) {
      spread(x + ((<usize>(start + r) * length * channels) << 2), length, channels, pad, width, scratch + <usize>r * signal);
    }
    for (let i = 0; i < n; i++) {
      const unit = kernels + (<usize>i << 6);
      weights(unit, kind, taps);
      const dilation = load<u32>(unit, 8);
      const from = pad - load<i32>(unit, 12);
      const positions = load<i32>(unit, 16);
      const seen = load<i32>(unit, 20);
      const scale = load<f32>(unit, 24);
      const b = load<f32>(bias + (<usize>i << 2));
      for (let r = 0; r < rows; r++) {
        const start0 = scratch + <usize>r * signal + (<usize>from << 2);
        for (let c = 0; c < seen; c++) {
          const channel = load<i32>(unit + (<usize>c << 2), 28);
          const at = start0 + ((<usize>channel * width) << 2);
          convolve(at, PANEL + ((<usize>c * taps) << 2), taps, <usize>dilation << 2, positions, c == 0, z);
        }
        pool(z, positions, scale, b, pools, y + <usize>(start + r) * row + (<usize>i << 2), stride);
      }
    }
  }
}
