/**
 * Activation functions. One is added here, in shaders/activation.wgsl, in wasm/activation.ts and in src/export/predict.py; the
 * compiler, the build and the tests find what is missing. Three tables instead of one, so that a page loads the first alone.
 */
import { ShapeError } from './errors.ts';

/**
 * Each function with the factor of its layer's random starting weights (He et al. 2015, arXiv:1502.01852): sqrt(2) where about half
 * of the inputs pass. `leakyRelu` has slope 0.01 below zero; `gelu` is the tanh form (Hendrycks and Gimpel, arXiv:1606.08415).
 * `step` is 1 above zero and 0 elsewhere, with a gradient of 0: nothing before it trains.
 * `elu` is e^a - 1 below zero (Clevert et al., arXiv:1511.07289).
 * `silu` is a times sigmoid(a) (Elfwing et al., arXiv:1702.03118).
 * The position in this list is the number that kernels know a function by; model files have its name.
 */
const gains = {
  identity: 1,
  relu: Math.SQRT2,
  leakyRelu: Math.SQRT2,
  sigmoid: 1,
  tanh: 1,
  gelu: Math.SQRT2,
  cos: 1,
  step: 1,
  elu: Math.SQRT2,
  silu: Math.SQRT2,
};

export type ActivationName = keyof typeof gains;

export const activationNames = Object.keys(gains) as readonly ActivationName[];

/** Factor of the starting weights of a layer with this activation. */
export const activationGain = (name: ActivationName): number => gains[name];

/** What the kernels' `ACTIVATION` override and the CPU kernels call the function. Throws `ShapeError` for an unknown name. */
export function activationCode(name: ActivationName): number {
  const code = activationNames.indexOf(name);
  if (code < 0) throw new ShapeError(`expected an activation (${activationNames.join(', ')}), got '${name}'`);
  return code;
}

const sigmoid = (a: number) => 1 / (1 + Math.exp(-a));
/** sqrt(2 / pi) */
const C = 0.7978845608028654;
const geluInner = (a: number) => C * (a + 0.044715 * a ** 3);

/** g(a) and dg/da, float64: the twins of shaders/activation.wgsl. */
export const activationTwins: {
  readonly [A in ActivationName]: { readonly value: (a: number) => number; readonly gradient: (a: number) => number };
} = {
  identity: { value: (a) => a, gradient: () => 1 },
  relu: { value: (a) => Math.max(a, 0), gradient: (a) => (a > 0 ? 1 : 0) },
  leakyRelu: { value: (a) => (a > 0 ? a : 0.01 * a), gradient: (a) => (a > 0 ? 1 : 0.01) },
  sigmoid: { value: sigmoid, gradient: (a) => sigmoid(a) * (1 - sigmoid(a)) },
  tanh: { value: Math.tanh, gradient: (a) => 1 - Math.tanh(a) ** 2 },
  gelu: {
    value: (a) => 0.5 * a * (1 + Math.tanh(geluInner(a))),
    gradient(a) {
      const t = Math.tanh(geluInner(a));
      return 0.5 * (1 + t) + 0.5 * a * (1 - t * t) * C * (1 + 3 * 0.044715 * a * a);
    },
  },
  cos: { value: Math.cos, gradient: (a) => -Math.sin(a) },
  step: { value: (a) => (a > 0 ? 1 : 0), gradient: () => 0 },
  elu: { value: (a) => (a > 0 ? a : Math.expm1(a)), gradient: (a) => (a > 0 ? 1 : Math.exp(a)) },
  silu: {
    value: (a) => a * sigmoid(a),
    gradient: (a) => sigmoid(a) * (1 + a * (1 - sigmoid(a))),
  },
};

/** Writes ONNX operators (src/export/onnx-file.ts). Values go by their names. */
export interface OnnxWriter {
  node(
    op: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, number | { readonly float: number }>>,
  ): string;
  floats(values: readonly number[], shape: readonly number[]): string;
}

const scalar = (file: OnnxWriter, value: number) => file.floats([value], []);

/** g(a) as ONNX operators of opset 18; answers the name of the result. */
export const onnxActivations: { readonly [A in ActivationName]: (file: OnnxWriter, a: string) => string } = {
  identity: (_, a) => a,
  relu: (file, a) => file.node('Relu', [a]),
  leakyRelu: (file, a) => file.node('LeakyRelu', [a], { alpha: { float: 0.01 } }),
  sigmoid: (file, a) => file.node('Sigmoid', [a]),
  tanh: (file, a) => file.node('Tanh', [a]),
  // The tanh form; ONNX has it as an operator from opset 20 on.
  gelu(file, a) {
    const times = (b: string, factor: number) => file.node('Mul', [b, scalar(file, factor)]);
    const cube = file.node('Mul', [file.node('Mul', [a, a]), a]);
    const inner = times(file.node('Add', [a, times(cube, 0.044715)]), C);
    const share = file.node('Add', [file.node('Tanh', [inner]), scalar(file, 1)]);
    return file.node('Mul', [times(a, 0.5), share]);
  },
  cos: (file, a) => file.node('Cos', [a]),
  step: (file, a) => file.node('Cast', [file.node('Greater', [a, scalar(file, 0)])], { to: 1 }),
  elu: (file, a) => file.node('Elu', [a]),
  silu: (file, a) => file.node('Mul', [a, file.node('Sigmoid', [a])]),
};
