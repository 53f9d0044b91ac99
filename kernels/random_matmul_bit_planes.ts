import { distributions } from '../src/weights/distributions.ts';
import type { Dispatch } from './dispatch.ts';
import source from './random_matmul_bit_planes.wgsl';
import { type IntegerMatmulArgs, integerMatmulDispatch } from './random_matmul_u8.ts';

/**
 * y = g(u * (x r') + b) for few rows of bytes and the weights `binary` or `codeword`, from the output of bit_planes for x. An
 * invocation owns a unit and all its words, or an eighth of them (`sliced`).
 */
export function randomMatmulBitPlanes<B>(
  args: Omit<IntegerMatmulArgs<B>, 'x'>,
  planes: B,
  totals: B,
  sliced: boolean,
): Dispatch<B> {
  const { buffers, constants, ...common } = integerMatmulDispatch({ ...args, x: planes });
  const { x, ...rest } = buffers;
  const [ROWS, SLICES] = [args.m > 1 ? 4 : 1, sliced ? 8 : 1];
  return {
    source,
    ...common,
    constants: { ...constants, ROWS, SLICES, SIGNS: distributions[args.weights].weightsPerWord },
    buffers: { ...rest, planes: x, totals },
    grid: [Math.ceil(args.n / 32), Math.ceil(args.m / ROWS), 1],
  };
}
