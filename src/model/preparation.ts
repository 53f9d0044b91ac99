/**
 * What a model says about its data: how raw rows, pictures and signals become its inputs, and how its outputs become
 * predictions. Plain data. A model file holds it as JSON in its metadata; preparation-metadata.ts reads and writes it.
 */
import type { DateOrder } from '../core/dates.ts';
import { product } from '../core/shape.ts';

export interface Preparation {
  readonly inputs: InputSpec;
  readonly outputs: OutputSpec;
}

export type InputSpec = TableInputs | ImageInputs | SignalInputs | NumberInputs;

/** Rows of a table. The inputs of its columns follow one another in this order. */
export interface TableInputs {
  readonly kind: 'table';
  readonly columns: readonly ColumnSpec[];
  /** Columns of the training table that are no inputs and no targets, such as an id. */
  readonly ignored: readonly string[];
  /** Whether the table named its columns. Without a header, a column is called by its number in the table, from 1. */
  readonly header: boolean;
  /** Decimal mark of numbers in texts. Absent where the table had types, so that a text was never a number or a gap. */
  readonly decimal?: '.' | ',';
}

export type ColumnSpec = NumberColumn | DateColumn | CategoryColumn;

/** One input: (number - mean) / deviation. A gap is 0, as the mean is; so is everything where the deviation is 0. */
export interface NumberColumn {
  readonly name: string;
  readonly kind: 'number';
  readonly mean: number;
  readonly deviation: number;
  /** A currency sign or '%' that each number of the column has. */
  readonly unit?: string;
}

/** One input, as for numbers: the number of a date is its days since 1970-01-01 in UTC (core/dates.ts). */
export interface DateColumn {
  readonly name: string;
  readonly kind: 'date';
  readonly order: DateOrder;
  readonly mean: number;
  readonly deviation: number;
}

/** One input for each category: 1 for the category of the row, else 0. A gap and an unknown text are none of them. */
export interface CategoryColumn {
  readonly name: string;
  readonly kind: 'category';
  readonly categories: readonly string[];
}

export const pictureFits = ['stretch', 'letterbox'] as const;

/** Pictures of any size: resampled, then each byte b of a pixel becomes scale * b + shift. */
export interface ImageInputs {
  readonly kind: 'image';
  readonly height: number;
  readonly width: number;
  /** 1: grey by luma (Rec. 601). 3: red, green, blue, channels last. Transparent pixels lie on white. */
  readonly channels: 1 | 3;
  readonly scale: number;
  readonly shift: number;
  /** 'stretch' changes the aspect ratio to that of the input; 'letterbox' keeps it and adds bars of bytes 0. */
  readonly fit: (typeof pictureFits)[number];
  /** Turns dark on light into light on dark; 'auto': where the border of the picture is light. */
  readonly invert: boolean | 'auto';
}

/** Signals of a fixed length, (length, channels) row-major. */
export interface SignalInputs {
  readonly kind: 'signal';
  /** Names of the channels. */
  readonly channels: readonly string[];
  /** Samples of each channel. */
  readonly length: number;
  /** Samples a second, where it is known. */
  readonly rate?: number;
  /**
   * 'series': each channel of each signal has mean 0 and deviation 1. 'training': each channel has them over all training
   * signals, so that levels and sizes still tell signals apart.
   */
  readonly standardise: 'series' | 'training' | 'none';
  /** With 'training': what is subtracted from each channel, and what it is then divided by. */
  readonly means?: readonly number[];
  readonly deviations?: readonly number[];
}

/** Numbers as they are. */
export interface NumberInputs {
  readonly kind: 'numbers';
}

export type OutputSpec = ClassOutputs | LabelOutputs | TargetOutputs;
export type Task = OutputSpec['task'];

/** Every task. */
export const tasks = ['classification', 'multilabel', 'regression'] as const satisfies readonly Task[];

/** One logit a class, softmax over all. */
export interface ClassOutputs {
  readonly task: 'classification';
  /** The column that held the class, where there was one. */
  readonly label?: string;
  readonly classes: readonly string[];
}

/** One logit a label, a sigmoid each: a row has any number of labels. */
export interface LabelOutputs {
  readonly task: 'multilabel';
  /** The column that held the labels, where there was one. */
  readonly label?: string;
  readonly labels: readonly string[];
  /** Between the labels of a cell. */
  readonly separator: string;
  /** A row has the labels whose probability is at least this. */
  readonly threshold: number;
}

/** One output a target: (value - mean) / deviation. */
export interface TargetOutputs {
  readonly task: 'regression';
  readonly targets: readonly TargetSpec[];
}

export interface TargetSpec {
  readonly name: string;
  readonly unit?: string;
  readonly mean: number;
  readonly deviation: number;
}

/** An output of the model in the units of its target. */
export const inUnits = ({ mean, deviation }: Pick<TargetSpec, 'mean' | 'deviation'>, output: number): number =>
  mean + deviation * output;

/** Where a model comes from and how good it is. */
export interface ModelCard {
  readonly data: {
    readonly name: string;
    /** Rows that trained. */
    readonly rows: number;
    /** SHA-256 of the data in hexadecimal digits. */
    readonly sha256?: string;
  };
  /** The command line that trained the model. */
  readonly command?: string;
  /** Decimal digits. */
  readonly seed: string;
  /** Version of this library. */
  readonly release: string;
  /** ISO 8601. */
  readonly date: string;
  /** Measured once, on rows that had no part in the training or in choosing the model. */
  readonly heldOut?: {
    readonly rows: number;
    readonly figures: readonly { readonly name: string; readonly value: number }[];
  };
}

/** How many inputs a column becomes. */
export const columnWidth = (column: ColumnSpec): number => (column.kind === 'category' ? column.categories.length : 1);

/** Numbers in one input of the model; undefined where any number of them will do. */
export function preparedSize(inputs: InputSpec): number | undefined {
  switch (inputs.kind) {
    case 'table':
      return inputs.columns.reduce((sum, column) => sum + columnWidth(column), 0);
    case 'image':
      return product([inputs.height, inputs.width, inputs.channels]);
    case 'signal':
      return inputs.length * inputs.channels.length;
    case 'numbers':
      return undefined;
  }
}

/** Names of the outputs, in their order. */
export const outputNames = (outputs: OutputSpec): readonly string[] =>
  outputs.task === 'classification'
    ? outputs.classes
    : outputs.task === 'multilabel'
      ? outputs.labels
      : outputs.targets.map(({ name }) => name);
