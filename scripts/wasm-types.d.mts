/** The text of src/cpu/kernels.ts, from the kernels in a folder (default wasm/). */
export function kernelTypes(folder?: string): string;
