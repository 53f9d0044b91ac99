/** The border where callers hand in a model to train or to save. */
import { ShapeError } from '../core/errors.ts';
import { typeName } from '../core/options.ts';
import { expectParameters, type Model } from './model.ts';

/** Throws `ShapeError` for what is no model, and for one whose parameters do not fit its layers. */
export function expectModel(model: Model): void {
  if (!Array.isArray(model?.layers) || !(typeof model.parameters?.get === 'function')) {
    throw new ShapeError(`expected a model, as sequential() and readModel() make it, got ${typeName(model)}`);
  }
  expectParameters(model);
}
