/** Elements of a shape: the product of its sizes. */
export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The most numbers of a tensor: no device binds more than 4 GiB, and kernels index with 32 bits. */
export const MOST_NUMBERS = 2 ** 30;
