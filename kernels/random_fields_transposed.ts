import { type Dispatch, fold } from './dispatch.ts';
import { type FieldSizes, fieldDispatch } from './random_fields.ts';
import source from './random_fields_transposed.wgsl';

export interface RandomFieldsTransposedArgs<B> extends FieldSizes {
  /** (m, n) f32. */
  readonly dz: B;
  /** `fieldWords` of the n units. */
  readonly fields: B;
  /** (m, height, width, channels) f32, written. */
  readonly dx: B;
}

/** dx = dz r, with the random receptive fields r of n units regenerated, scales included. */
export const randomFieldsTransposed = <B>(args: RandomFieldsTransposedArgs<B>): Dispatch<B> => {
  const { m, dz, fields, dx } = args;
  const common = fieldDispatch(args);
  const [across, folds] = fold(common.params.k, 64);
  return { source, ...common, buffers: { dz, fields, dx }, grid: [across, Math.ceil(m / 4), folds] };
};
