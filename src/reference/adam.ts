/** One step of Adam (arXiv:1412.6980) with decoupled weight decay (arXiv:1711.05101), in place. `step` counts from 1. */
export function adam(args: {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
  learningRate: number;
  step: number;
  value: Float64Array;
  gradient: ArrayLike<number>;
  moment1: Float64Array;
  moment2: Float64Array;
}): void {
  const { beta1, beta2, epsilon, weightDecay, learningRate, step, value, gradient, moment1, moment2 } = args;
  for (let i = 0; i < value.length; i++) {
    const g = gradient[i]!;
    moment1[i] = beta1 * moment1[i]! + (1 - beta1) * g;
    moment2[i] = beta2 * moment2[i]! + (1 - beta2) * g * g;
    const mean = moment1[i]! / (1 - beta1 ** step);
    const variance = moment2[i]! / (1 - beta2 ** step);
    value[i]! -= learningRate * (mean / (Math.sqrt(variance) + epsilon) + weightDecay * value[i]!);
  }
}
