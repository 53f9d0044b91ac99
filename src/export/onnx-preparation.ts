/** Columns of a table as inputs of an ONNX graph, and its outputs as probabilities or values: what a model says about its data. */
import { type Model, outputSize } from '../model/model.ts';
import {
  type ColumnSpec,
  columnWidth,
  type OutputSpec,
  type Preparation,
  type TableInputs,
  type TargetOutputs,
} from '../model/preparation.ts';
import { preparationOf } from '../model/preparation-metadata.ts';
import { type Interface, OnnxGraph } from './onnx-file.ts';

export type TablePreparation = Preparation & { readonly inputs: TableInputs };

/** What a model of a table says about its data; undefined for other models. */
export function tablePreparation(model: Model): TablePreparation | undefined {
  const preparation = preparationOf(model);
  return preparation?.inputs.kind === 'table' ? (preparation as TablePreparation) : undefined;
}

/** A graph whose own names differ from all columns. */
export function graphFor({ inputs }: TablePreparation): OnnxGraph {
  let prefix = '/';
  while (inputs.columns.some(({ name }) => name.startsWith(prefix))) prefix += '/';
  return new OnnxGraph(prefix);
}

/** Inputs of the graph: (N, 1) each, by the names of the columns. */
export const columnInputs = ({ inputs }: TablePreparation): Interface[] =>
  inputs.columns.map(({ name, kind }) => ({
    name,
    shape: ['N', 1],
    type: kind === 'category' ? 'string' : 'double',
  }));

const columnRules: {
  readonly [K in ColumnSpec['kind']]: (file: OnnxGraph, column: Extract<ColumnSpec, { kind: K }>) => string;
} = {
  number: standardised,
  date: standardised,
  category(file, { name, categories }) {
    const places = [...categories.keys()];
    const place = file.node('LabelEncoder', [name], {
      keys_strings: { texts: categories },
      values_int64s: places,
      default_int64: places.length, // an unknown text is none of them
    });
    return file.cast(file.node('Equal', [place, file.integers(places, [1, places.length])]), 'float');
  },
};

/** In f64, as everywhere: a date in f32 would lose minutes. */
function standardised(
  file: OnnxGraph,
  { name, mean, deviation }: Extract<ColumnSpec, { kind: 'number' | 'date' }>,
): string {
  const centred = file.node('Sub', [name, file.doubles([mean])]);
  const scaled =
    deviation === 0
      ? file.node('Mul', [centred, file.doubles([0])])
      : file.node('Div', [centred, file.doubles([deviation])]);
  const value = file.cast(scaled, 'float');
  return file.node('Where', [file.node('IsNaN', [value]), file.floats([0]), value]); // a gap is the mean
}

/** (N, inputs) of the first layer. */
export function encodedColumns(file: OnnxGraph, { inputs }: TablePreparation): string {
  const parts = inputs.columns
    .filter((column) => columnWidth(column) > 0)
    .map((column) => (columnRules[column.kind] as (file: OnnxGraph, column: ColumnSpec) => string)(file, column));
  return parts.length === 1 ? parts[0]! : file.node('Concat', parts, { axis: 1 });
}

/** Adds the output of the graph, called `probabilities` or `values`: (N, outputs). */
export function answerOutput(
  file: OnnxGraph,
  model: Model,
  { inputs, outputs }: TablePreparation,
  y: string,
): Interface {
  let name = outputs.task === 'regression' ? 'values' : 'probabilities';
  while (inputs.columns.some((column) => column.name === name)) name += '_';
  const rules: { readonly [T in OutputSpec['task']]: () => Interface['type'] } = {
    classification() {
      file.node('Softmax', [y], {}, name); // along the last axis
      return 'float';
    },
    multilabel() {
      file.node('Sigmoid', [y], {}, name);
      return 'float';
    },
    regression() {
      const { targets } = outputs as TargetOutputs;
      const scaled = file.node('Mul', [
        file.cast(y, 'double'),
        file.doubles(targets.map(({ deviation }) => deviation)),
      ]);
      file.node('Add', [scaled, file.doubles(targets.map(({ mean }) => mean))], {}, name);
      return 'double';
    },
  };
  return { name, shape: ['N', outputSize(model)], type: rules[outputs.task]()! };
}
