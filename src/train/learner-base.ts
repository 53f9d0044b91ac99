/** What a learner keeps of a model: all but its linear output. */
import { arrayType } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import { dense } from '../layers/dense.ts';
import type { DenseSpec, LayerSpec } from '../layers/specs.ts';
import { expectParameters, inputSize, type Model, outputSize, placeLayers, sequential } from '../model/model.ts';
import type { InputSpec } from '../model/preparation.ts';
import { preparationOf, setPreparation } from '../model/preparation-metadata.ts';
import type { LinearOutput } from '../solve/ridge.ts';

export interface LearnerBase {
  /** As it was given. */
  readonly model: Model;
  /** Its layers without a linear output; undefined where there are none, and the inputs are the features. */
  readonly frozen: Model | undefined;
  /** How raw data become inputs. */
  readonly inputs: InputSpec;
  /** Features of an input. */
  readonly columns: number;
}

const isLinear = (spec: LayerSpec): boolean => spec.kind === 'dense' && (spec as DenseSpec).activation === 'identity';

/** Throws `ShapeError` for missing parameters, `ModelFileError` for damaged metadata. */
export function baseOf(model: Model): LearnerBase {
  expectParameters(model);
  const inputs = preparationOf(model)?.inputs ?? { kind: 'numbers' };
  if (!isLinear(model.layers.at(-1)!)) return { model, frozen: model, inputs, columns: outputSize(model) };
  const layers = model.layers.slice(0, -1);
  if (layers.length === 0) return { model, frozen: undefined, inputs, columns: inputSize(model) };
  const own = `layers.${placeLayers(model).length - 1}.`;
  const parameters = new Map([...model.parameters].filter(([name]) => !name.startsWith(own)));
  const frozen = { ...model, layers, parameters };
  return { model, frozen, inputs, columns: outputSize(frozen) };
}

/** The layers that the learner keeps, with this output. It names the classes. */
export function withOutput({ model, frozen, inputs }: LearnerBase, output: LinearOutput, classes: readonly string[]) {
  const layers = [...(frozen?.layers ?? []), dense({ units: classes.length })];
  const { input, seed } = model;
  const made = sequential(layers, { input, seed });
  for (const [name, values] of frozen?.parameters ?? []) made.parameters.set(name, values.slice());
  const index = placeLayers(made).length - 1;
  made.parameters.set(`layers.${index}.weight`, output.weights).set(`layers.${index}.b`, output.bias);
  // What the file of the model says of another training no longer holds.
  const { card: _, preparation: __, classes: ___, ...metadata } = model.metadata ?? {};
  made.metadata = metadata;
  setPreparation(made, { inputs, outputs: { task: 'classification', classes } });
  return made;
}

/** Throws `DataError` unless both make the same features of the same data. */
export function expectSameBase(ours: LearnerBase, theirs: LearnerBase): void {
  const differing = (
    [
      ['shape of its input', (base) => base.model.input],
      ['seed', (base) => base.frozen && String(base.model.seed)],
      ['layers', (base) => base.frozen?.layers],
      ['preparation of raw data', (base) => base.inputs],
    ] as const satisfies readonly (readonly [string, (base: LearnerBase) => unknown])[]
  ).find(([, of]) => JSON.stringify(of(ours)) !== JSON.stringify(of(theirs)));
  const fail = (what: string, expected: string, got: string): never => {
    throw new DataError(
      `learner.merge: expected a learner whose model has the same ${what}, ${expected}; got ${got}. Sums of other ` +
        'features do not add up: start both learners from one model.',
    );
  };
  if (differing) {
    const [what, of] = differing;
    fail(what, shortened(of(ours)), shortened(of(theirs)));
  }
  for (const [name, values] of ours.frozen?.parameters ?? []) {
    const others = theirs.frozen!.parameters.get(name)!;
    const at = values.findIndex((value, i) => !Object.is(value, others[i]));
    if (at >= 0) fail(`parameter '${name}'`, `${values[at]} at ${at}`, String(others[at]));
  }
}

function shortened(value: unknown): string {
  const text = JSON.stringify(value) ?? 'none';
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}

/** Inputs of a call: a list of them, one, or the numbers of several in a row, as `predict` takes them. */
export function itemsOf({ model, inputs }: LearnerBase, x: unknown, isList: (x: unknown) => boolean): unknown[] {
  if (isList(x)) return [...(x as readonly unknown[])];
  const size = inputSize(model);
  const flat = ArrayBuffer.isView(x) || arrayType(x) === 'Array';
  const numbers = x as Float32Array;
  if (!flat || inputs.kind === 'table' || inputs.kind === 'signal' || numbers.length <= size || numbers.length % size) {
    return [x];
  }
  return Array.from({ length: numbers.length / size }, (_, row) => numbers.slice(row * size, (row + 1) * size));
}
