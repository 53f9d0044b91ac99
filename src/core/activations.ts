/** Activation functions by name. The position in the list is the value of the kernels' `ACTIVATION` override. */
export const activationNames = ['identity', 'relu', 'leakyRelu', 'sigmoid', 'tanh', 'gelu'] as const;

/** `leakyRelu` has slope 0.01 below zero; `gelu` is the tanh form (Hendrycks and Gimpel, arXiv:1606.08415). */
export type ActivationName = (typeof activationNames)[number];

export const activationCode = (name: ActivationName): number => activationNames.indexOf(name);
