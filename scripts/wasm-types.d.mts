/** The files that this script writes, relative to the root. */
export const kernelFiles: string[];
/** The text of one of them, from the kernels in a folder (default wasm/). */
export function kernelTypes(file: string, folder?: string): string;
