/** Elements of a shape: the product of its sizes. */
export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
