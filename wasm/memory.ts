/**
 * Data at fixed addresses, so that a lookup is one load at a constant offset. The tables of the compiler's own library
 * follow (scripts/wasm.mjs); from HEAP on the host allocates.
 */

/** The weight of each byte of the stream: 256 f32 for even inputs, then 256 for odd ones. Written by the host. */
export const WEIGHTS: usize = 1024;
/** Tables of a kernel: 24 KB. */
export const TABLES: usize = 4096;
/** Weights of a panel, DEPTH x 8 f32: 8 KB, so that they stay in the L1 cache. */
export const PANEL: usize = TABLES + 24576;
export const DEPTH: i32 = 256;
export const HEAP: usize = 65536;
