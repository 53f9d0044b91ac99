/** Kernels of the forward random product by file stem, so that one can be asked for by name. */
import { type RandomMatmulArgs, randomMatmul } from '../../kernels/random_matmul.ts';
import { randomMatmulRows } from '../../kernels/random_matmul_rows.ts';
import { activationNames } from '../../src/activations.ts';
import type { Dispatch } from '../../src/dispatch.ts';
import type { Plan } from '../../src/plan.ts';

export type RandomMatmulKernel = <B>(args: RandomMatmulArgs<B>) => Dispatch<B>;

export const randomMatmulKernels: Readonly<Record<string, RandomMatmulKernel>> = {
  random_matmul: randomMatmul,
  random_matmul_rows: randomMatmulRows,
};

/** The plan with every forward random product done by the kernel of that name. Throws `RangeError` for a name unknown. */
export function forceKernel(plan: Plan, name: string): Plan {
  const kernel = randomMatmulKernels[name];
  if (!kernel) {
    throw new RangeError(`kernel: expected one of ${Object.keys(randomMatmulKernels).join(', ')}; got '${name}'`);
  }
  return {
    ...plan,
    dispatches: plan.dispatches.map((dispatch) => {
      if (!Object.hasOwn(randomMatmulKernels, dispatch.source.name)) return dispatch;
      const { m, k, n } = dispatch.params;
      const { x, keys, u, b, y } = dispatch.buffers;
      const { EPILOGUE = 0, ACTIVATION = 0 } = dispatch.constants ?? {};
      const epilogue = { b: b!, ...(EPILOGUE === 2 && { u: u! }), activation: activationNames[ACTIVATION]! };
      const weights = dispatch.weights!;
      const args = { m: m!, k: k!, n: n!, weights, x: x!, keys: keys!, y: y!, ...(EPILOGUE > 0 && { epilogue }) };
      return kernel(args);
    }),
  };
}
