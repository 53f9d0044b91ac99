/** a * b, element by element. */
export const multiply = ({ a, b }: { a: ArrayLike<number>; b: ArrayLike<number> }): Float64Array =>
  Float64Array.from(a, (value, i) => value * b[i]!);
