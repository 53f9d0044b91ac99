/** The kernels of layers on arbitrary inputs, within the rounding of f32 and WGSL's functions. */
import { biasGradient } from '../../kernels/bias_gradient.ts';
import { epilogue } from '../../kernels/epilogue.ts';
import { epilogueInputGradient } from '../../kernels/epilogue_input_gradient.ts';
import { epilogueParameterGradient } from '../../kernels/epilogue_parameter_gradient.ts';
import { type MatmulArgs, matmul } from '../../kernels/matmul.ts';
import { matmulRows } from '../../kernels/matmul_rows.ts';
import { orthogonalShape } from '../../kernels/orthogonal.ts';
import { type ActivationName, activationNames } from '../core/activations.ts';
import { type ForwardKernel, forwardKernels } from '../gpu/choose/forward-kernels.ts';
import type { BufferSlice } from '../gpu/kernel.ts';
import { biasGradient as biasGradientTwin } from '../reference/bias_gradient.ts';
import { epilogue as epilogueTwin } from '../reference/epilogue.ts';
import { epilogueInputGradient as epilogueInputGradientTwin } from '../reference/epilogue_input_gradient.ts';
import { epilogueParameterGradient as epilogueParameterGradientTwin } from '../reference/epilogue_parameter_gradient.ts';
import { matmul as matmulTwin } from '../reference/matmul.ts';
import { randomMatmul as randomMatmulTwin } from '../reference/random_matmul.ts';
import { isElementwise } from '../weights/distributions.ts';
import { unitKeys } from '../weights/stream.ts';
import { type Case, type Covered, type Group, numbers, sumError } from './case.ts';
import { forwardSums, scratchOf, shapes, shapesOf, variants } from './exact.ts';

type Buffers = Record<string, BufferSlice>;

/** exp and tanh of WGSL are accurate to an absolute 1e-5. */
const elementwise = { absolute: 2e-5, relative: 1e-5, reason: 'exp and tanh of WGSL, rounding of u * z' };

/**
 * Pre-activations away from the kink of relu, where f32 and f64 may fall on different sides: |u z + b| and |z + b|
 * above 0.01.
 */
function preactivations(m: number, n: number) {
  const u = new Float32Array(n).fill(1.5);
  const b = new Float32Array(n).fill(0.25);
  const far = (value: number) => Math.abs(1.5 * value + 0.25) > 0.01 && Math.abs(value + 0.25) > 0.01;
  const z = numbers(m * n, 1, 4).map((value) => (far(value) ? value : 1));
  return { m, n, z, u, b, dy: numbers(m * n, 2) };
}

const [m, n] = [19, 70];

export const epilogues: Group = {
  name: 'activations and their gradients',
  cases: () =>
    activationNames.flatMap((activation): Case[] => {
      const { z, u, b, dy } = preactivations(m, n);
      const args = { m, n, activation, z, u, b };
      const { du, db } = epilogueParameterGradientTwin({ ...args, dy });
      const sum = {
        absolute: 4 * 1.13 * sumError(m) * m + 4e-5 * m,
        reason: 'f32 sum over the rows, exp and tanh of WGSL',
      };
      const shape = { m, n, activation };
      return [
        {
          what: activation,
          inputs: { z, u, b },
          outputs: { y: { want: epilogueTwin(args), tolerance: elementwise } },
          dispatch: ({ z, u, b, y }) => epilogue({ ...shape, z: z!, u: u!, b: b!, y: y! }),
        },
        {
          what: `${activation}, by its input`,
          inputs: { z, u, b, dy },
          outputs: { dz: { want: epilogueInputGradientTwin({ ...args, dy }), tolerance: elementwise } },
          dispatch: ({ z, u, b, dy, dz }) => epilogueInputGradient({ ...shape, z: z!, u: u!, b: b!, dy: dy!, dz: dz! }),
        },
        {
          what: `${activation}, by scale and bias`,
          inputs: { z, u, b, dy },
          outputs: { du: { want: du, tolerance: sum }, db: { want: db, tolerance: sum } },
          dispatch: ({ z, u, b, dy, du, db }) =>
            epilogueParameterGradient({ ...shape, z: z!, u: u!, b: b!, dy: dy!, du: du!, db: db! }, []),
        },
        {
          what: `${activation}, by a bias alone`,
          inputs: { z, b, dy },
          outputs: { db: { want: biasGradientTwin({ ...shape, z, b, dy }), tolerance: sum } },
          dispatch: ({ z, b, dy, db }) => biasGradient({ ...shape, z: z!, b: b!, dy: dy!, db: db! }, []), // few rows are summed in a single part
        },
      ];
    }),
};

/** Dense products: the transposed operands, and the kernel. */
const products = {
  'as they are': [{ transposeA: false, transposeB: false }, matmul],
  'first transposed': [{ transposeA: true, transposeB: false }, matmul],
  'second transposed': [{ transposeA: false, transposeB: true }, matmul],
  'both transposed': [{ transposeA: true, transposeB: true }, matmul],
  'few rows': [{}, (args: MatmulArgs<BufferSlice>) => matmulRows(args, false)],
  'few rows, sliced': [{}, (args: MatmulArgs<BufferSlice>) => matmulRows(args, true)],
} as const;

const dense: Group = {
  name: 'dense products',
  cases: () =>
    Object.entries(products).flatMap(([name, [transposes, launch]]) =>
      shapes.map(([m, k, n]) => {
        const [a, b] = [numbers(m * k, 1), numbers(k * n, 2)];
        const sizes = { m, k, n, ...transposes };
        return {
          what: `${m}x${k}x${n}, ${name}`,
          inputs: { a, b },
          outputs: {
            c: {
              want: matmulTwin({ ...sizes, a, b }),
              tolerance: { absolute: sumError(k) * k * 0.5 + 1e-7, reason: 'f32 sum over k' },
            },
          },
          dispatch: ({ a, b, c }: Buffers) => launch({ ...sizes, a: a!, b: b!, c: c! }),
        };
      }),
    ),
};

/** A forward kernel with its epilogue: the first of its distributions, one activation. */
const forward = (name: string, kernel: ForwardKernel): Group => ({
  name: `half layer, ${name}`,
  cases: () =>
    shapesOf(name).map(([m, k, n]) => {
      const distribution = kernel.weights[0]!;
      const weights = { seed: 7, tensor: 3, distribution };
      const activation: ActivationName = 'gelu';
      const [x, u, b] = [numbers(m * k, 1), numbers(n, 2, 2), numbers(n, 3, 2)];
      const { blocks, p } = orthogonalShape({ m, k, n });
      const units = isElementwise(distribution) ? n : blocks;
      const scratch = kernel.scratchBytes({ m, k, n, weights: distribution });
      const want = epilogueTwin({ m, n, z: randomMatmulTwin({ m, k, n, weights, x }), u, b, activation });
      // A product or a transform rounds numbers whose sizes add up to at most 3 sqrt(K), or sqrt(P); |u| <= 2, slopes
      // at most 1.13.
      const rounding = isElementwise(distribution)
        ? 3 * Math.sqrt(k) * sumError(k)
        : Math.sqrt(p) * 12 * Math.log2(p) * 2 ** -24;
      return {
        what: `${distribution} ${m}x${k}x${n} ${activation}`,
        inputs: { x, u, b, keys: unitKeys(7, 3, units), ...scratchOf(scratch) },
        outputs: {
          y: { want, tolerance: { absolute: 1.13 * 2 * rounding + 4e-6, reason: 'f32 sum over k, tanh of WGSL' } },
        },
        dispatch: ({ x, u, b, keys, y, scratch0, scratch1 }: Buffers) =>
          kernel.launch(
            { m, k, n, weights: distribution, x: x!, keys: keys!, y: y!, epilogue: { u: u!, b: b!, activation } },
            [scratch0!, scratch1!],
          ),
      };
    }),
});

const halfLayers = Object.entries<ForwardKernel>(forwardKernels).flatMap(([name, kernel]) =>
  variants.includes(name) ? [] : forward(name, kernel),
);

export const layerGroups: readonly Group[] = [...halfLayers, dense, epilogues];

export const denseCases: Covered<'dense'> = {
  randomMatmul: [...forwardSums, ...halfLayers],
  matmul: [dense],
  epilogue: [epilogues],
};
