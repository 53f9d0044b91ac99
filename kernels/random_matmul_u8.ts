import type { Dispatch } from './dispatch.ts';
import { type RandomMatmulArgs, randomMatmulDispatch } from './random_matmul.ts';
import source from './random_matmul_u8.wgsl';

/** The most inputs for which no sum can exceed 2^31: 255 x 127 each. */
export const MAX_U8_INPUTS = Math.floor((2 ** 31 - 1) / (255 * 127));

/** x: (m, ceil(k / 4)) u32, four inputs each, the first in the lowest byte. */
export interface IntegerMatmulArgs<B> extends RandomMatmulArgs<B> {
  /** (m) f32: inputs are int8, multiplied by the scale of their row (quantise_rows). If absent: bytes, 0 ... 255. */
  readonly scales?: B | undefined;
}

/** Parameters and bindings common to the products of integer inputs. Bindings that are never read hold the keys. */
export function integerMatmulDispatch<B>({ scales, ...args }: IntegerMatmulArgs<B>) {
  const common = randomMatmulDispatch(args);
  return {
    ...common,
    constants: { ...common.constants, SIGNED: scales ? 1 : 0 },
    buffers: { ...common.buffers, scales: scales ?? args.keys },
  };
}

/** y = g(u * (x r') + b) for several rows of byte inputs. */
export const randomMatmulU8 = <B>(args: IntegerMatmulArgs<B>): Dispatch<B> => ({
  source,
  ...integerMatmulDispatch(args),
  grid: [Math.ceil(args.n / 64), Math.ceil(args.m / 32), 1],
});
