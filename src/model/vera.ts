/** Adds VeRA adapters to a trained model: its dense layers become `vera` layers. */
import { expectOptions } from '../core/options.ts';
import type { LayerSpec } from '../layers/specs.ts';
import { baseNames, type VeraOptions, vera, veraOptions } from '../layers/vera.ts';
import { type Model, placeLayers, sequential } from './model.ts';

/** A copy of the model with an adapter on each dense layer. Its outputs stay the same until it is trained. */
export function withVera(model: Model, options: VeraOptions): Model {
  expectOptions('withVera', options, veraOptions);
  const adapted = (specs: readonly LayerSpec[]): LayerSpec[] =>
    specs.map((spec) => {
      if (spec.kind === 'dense') return vera({ ...options, units: spec.units, activation: spec.activation });
      return 'layers' in spec ? { ...spec, layers: adapted(spec.layers) } : spec;
    });
  const made = sequential(adapted(model.layers), { input: model.input, seed: model.seed });
  if (model.metadata) made.metadata = model.metadata;
  for (const { spec, index } of placeLayers(model)) {
    const own = `layers.${index}.`;
    const names = new Map(
      spec.kind === 'dense' ? baseNames(options).map((to, i) => [own + ['weight', 'b'][i], own + to]) : [],
    );
    for (const [name, values] of model.parameters) {
      if (name.startsWith(own)) made.parameters.set(names.get(name) ?? name, values.slice());
    }
  }
  return made;
}
