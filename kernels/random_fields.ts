import { type ActivationName, activationCode } from '../src/core/activations.ts';
import { type FieldName, type Image, insideOf } from '../src/weights/fields.ts';
import type { Dispatch } from './dispatch.ts';
import source from './random_fields.wgsl';

export interface FieldSizes {
  readonly m: number;
  readonly n: number;
  /** Shape of a row of inputs. */
  readonly image: Image;
  readonly weights: FieldName;
}

export interface RandomFieldsArgs<B> extends FieldSizes {
  /** (m, height, width, channels) f32. */
  readonly x: B;
  /** `fieldWords` of the n units. */
  readonly fields: B;
  /** y = g(u * z + b), u and b (n) f32. Without u: g(z + b). If absent, y = z. */
  readonly epilogue?: { readonly u?: B; readonly b: B; readonly activation: ActivationName } | undefined;
  /** (m, n) f32, written. */
  readonly y: B;
}

/** Constants and parameters common to both kernels of receptive fields. */
export const fieldDispatch = ({ m, n, image, weights }: FieldSizes) => {
  const { height, width, channels } = image;
  return {
    weights: insideOf(weights),
    constants: { HAT: weights === 'mexican-hat' ? 1 : 0 },
    params: { m, k: height * width * channels, n, width, channels, table: 2 * n },
  };
};

/** y = g(u * (x r') + b), with the random receptive fields r of n units regenerated, scales included. */
export const randomFields = <B>(args: RandomFieldsArgs<B>): Dispatch<B> => {
  const { m, n, x, fields, epilogue, y } = args;
  const common = fieldDispatch(args);
  const ROWS = m === 1 ? 1 : 4;
  return {
    source,
    ...common,
    constants: {
      ...common.constants,
      ROWS,
      EPILOGUE: epilogue ? (epilogue.u ? 2 : 1) : 0,
      ACTIVATION: activationCode(epilogue?.activation ?? 'identity'),
    },
    buffers: { x, fields, u: epilogue?.u ?? x, b: epilogue?.b ?? x, y },
    grid: [Math.ceil(n / 64), Math.ceil(m / ROWS), 1],
  };
};
