/** What has a fixed place in memory, so that a look-up is one load at a constant offset. Tables of the
 *  compiler's own library follow (scripts/wasm.mjs), then, from HEAP on, what the host allocates. */

/** 256 weights of even inputs, then 256 of odd ones, f32: what the bytes of the stream mean. The host writes them. */
export const WEIGHTS: usize = 1024;
/** Tables of a kernel: 24 KB. */
export const TABLES: usize = 4096;
/** Weights of a panel, DEPTH x 8 f32: 8 KB, to stay in the first cache. */
export const PANEL: usize = TABLES + 24576;
export const DEPTH: i32 = 256;
export const HEAP: usize = 65536;
