/** Types of striped-images.mjs. */
export function writeStripedImages(directory: string, trained: number): void;
