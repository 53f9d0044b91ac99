/** Half layers of random receptive fields: what src/fields.ts exports. */
import { fieldKinds } from '../layers/fields.ts';
import { layerKinds } from '../layers/kinds.ts';

/** Registers these layers, for `readModel` in code that makes none by hand. Calling it again changes nothing. */
export function registerFields(): void {
  Object.assign(layerKinds, fieldKinds);
}

// A bundler drops this call where nothing is imported by name (`sideEffects: false`): then call the function.
registerFields();

export { type FieldsOptions, halfFields, halfFields1d, randomFields, randomFields1d } from '../layers/fields.ts';
export type { HalfFieldsSpec } from '../layers/specs.ts';
export {
  type FieldName,
  type FieldSpec,
  type FieldWeights,
  fieldNames,
  fieldWeights,
  type Image,
} from '../weights/fields.ts';
