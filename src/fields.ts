/**
 * `weightless-gpu/fields`: half layers of random receptive fields. Whoever uses one of them has taught the models of `weightless` all of
 * them and their kernel; `loadModel` does so by itself when a model file has such a layer.
 */
import { fieldLaunchers } from './gpu/lower/fields.ts';
import { inferenceLaunchers } from './gpu/plan.ts';
import { fieldKinds } from './layers/fields.ts';
import { layerKinds } from './layers/layers.ts';

/** Teaches models these layers, for `readModel` where no layer is made by hand. Calling it again changes nothing. */
export function registerFields(): void {
  Object.assign(layerKinds, fieldKinds);
  Object.assign(inferenceLaunchers, fieldLaunchers);
}

// Not for those who import nothing by name: a bundler leaves them out (`sideEffects: false`), and they call the function.
registerFields();

export {
  type FieldsOptions,
  type HalfFieldsSpec,
  halfFields,
  halfFields1d,
  randomFields,
  randomFields1d,
} from './layers/fields.ts';
export {
  type FieldName,
  type FieldSpec,
  type FieldWeights,
  fieldNames,
  fieldWeights,
  type Image,
} from './weights/fields.ts';
