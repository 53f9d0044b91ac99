/** What a model makes of pictures. */
import { BYTE_SCALE } from '../../src/core/arrays.ts';
import type { Model } from '../../src/model/model.ts';
import type { ImageInputs } from '../../src/model/preparation.ts';
import { preparationOf } from '../../src/model/preparation-metadata.ts';

/**
 * As its file says, or by the shape of its input: (height, width) or (height, width, 3). Undefined for other models.
 * `invert`: what a model that does not say inverts.
 */
export function imageInputs(model: Model, invert: ImageInputs['invert']): ImageInputs | undefined {
  const inputs = preparationOf(model)?.inputs;
  if (inputs?.kind === 'image') return inputs;
  if (inputs && inputs.kind !== 'numbers') return undefined;
  const [height, width, channels] = model.input;
  const colours = model.input.length === 3 && channels === 3;
  if (!height || !width || (model.input.length !== 2 && !colours)) return undefined;
  return {
    ...{ kind: 'image', height, width, channels: colours ? 3 : 1, fit: 'stretch' },
    ...{ invert, scale: BYTE_SCALE, shift: 0 },
  };
}
