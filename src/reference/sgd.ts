/** One step of gradient descent with momentum, in place. */
export function sgd(args: {
  momentum: number;
  learningRate: number;
  value: Float64Array;
  gradient: ArrayLike<number>;
  velocity: Float64Array;
}): void {
  const { momentum, learningRate, value, gradient, velocity } = args;
  for (let i = 0; i < value.length; i++) {
    velocity[i] = momentum * velocity[i]! + gradient[i]!;
    value[i]! -= learningRate * velocity[i]!;
  }
}
