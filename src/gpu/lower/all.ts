/** All lowerings, for callers that can't wait for a family to load. */
import { dense } from './dense.ts';
import { fieldGradient } from './field-gradients.ts';
import { field } from './fields.ts';
import { imageGradient } from './image-gradients.ts';
import { image } from './images.ts';
import type { Lowerings } from './lowering.ts';
import { signal } from './signals.ts';
import { solve } from './solve.ts';
import { training } from './training.ts';

export const allLowerings: Required<Lowerings> = {
  ...dense,
  ...training,
  ...image,
  ...imageGradient,
  ...field,
  ...fieldGradient,
  ...solve,
  ...signal,
};
