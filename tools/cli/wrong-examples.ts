/** The test rows that a model is most wrong about, for the report of a training. */
import { encode } from 'fast-png';
import type { DataSet } from '../../src/data/dataset.ts';
import { inUnits } from '../../src/model/preparation.ts';
import type { Figures } from '../../src/train/figures.ts';
import { percent, significant } from '../common/output.ts';
import type { Section } from '../experiments/sections.ts';

/** What a model predicts for its test rows. */
export interface Predicted {
  readonly test: DataSet;
  /** Outputs of the model for the test rows, (rows, outputs) row-major. */
  readonly outputs: Float32Array;
  /** Of the outputs. */
  readonly names: readonly string[];
}

/** At most so many examples. */
const EXAMPLES = 24;
/** Pictures are enlarged to about this width, in pixels. */
const PICTURE_WIDTH = 112;

/** A row that the model is wrong about. */
interface WrongRow {
  /** By which the rows are ordered. */
  readonly size: number;
  readonly is: string;
  readonly predicted: string;
  readonly how: string;
}

/** From outputs of the model to the units of a target. */
export function targetUnits({ preparation }: DataSet, column: number): (output: number) => number {
  const outputs = preparation?.outputs;
  const target = outputs?.task === 'regression' ? outputs.targets[column] : undefined;
  return (output) => (target ? inUnits(target, output) : output);
}

/** A row's outputs, and its targets where it has numbers. */
type Row = { readonly row: number; readonly own: Float32Array; readonly targets: Float32Array };

const meanError = ({ own, targets }: Row) => own.reduce((sum, y, i) => sum + Math.abs(y - targets[i]!), 0) / own.length;

/** How a row is wrong; undefined for one that is right. */
const wrong: { readonly [T in Figures['task']]: (row: Row, content: Predicted) => WrongRow | undefined } = {
  classification({ row, own }, { test, names }) {
    const largest = own.reduce((a, b) => Math.max(a, b));
    const predicted = own.indexOf(largest);
    if (predicted === test.labels[row]) return undefined;
    const probability = 1 / own.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    const is = names[test.labels[row]!]!;
    return { size: probability, is, predicted: names[predicted] ?? String(predicted), how: percent(probability) };
  },
  multilabel(row, { names }) {
    const { own, targets } = row;
    const mistakes = names.filter((_, i) => own[i]! >= 0 !== targets[i]! > 0.5).length;
    if (mistakes === 0) return undefined;
    const set = (has: (i: number) => boolean) => names.filter((_, i) => has(i)).join(', ') || 'none';
    const [is, predicted] = [set((i) => targets[i]! > 0.5), set((i) => own[i]! >= 0)];
    return { size: meanError(row), is, predicted, how: `${mistakes} wrong` };
  },
  regression(row, { test }) {
    const values = (all: Float32Array) =>
      Array.from(all, (value, i) => significant(targetUnits(test, i)(value))).join(', ');
    const [error, of] = [meanError(row), targetUnits(test, 0)];
    return { size: error, is: values(row.targets), predicted: values(row.own), how: significant(of(error) - of(0)) };
  },
};

const none = new Float32Array();

/** The rows that are most wrong. */
function wrongRows(figures: Figures, content: Predicted): (WrongRow & { readonly row: number })[] {
  const { outputs, test } = content;
  const width = outputs.length / test.rows;
  const partOf = (all: Float32Array, row: number) => all.subarray(row * width, (row + 1) * width);
  const found = Array.from({ length: test.rows }, (_, row) => {
    const how = wrong[figures.task](
      { row, own: partOf(outputs, row), targets: partOf(test.targets ?? none, row) },
      content,
    );
    return how ? [{ row, ...how }] : [];
  }).flat();
  return found.sort((a, b) => b.size - a.size).slice(0, EXAMPLES);
}

const hows: { readonly [T in Figures['task']]: string } = {
  classification: 'probability',
  multilabel: 'labels',
  regression: 'error',
};

/** A section of them: as pictures where they are, else as a table; none where every row is right. */
export function wrongExamples(figures: Figures, content: Predicted): Section[] {
  const rows = wrongRows(figures, content);
  if (!rows.length) return [];
  const title = figures.task === 'regression' ? 'Largest errors' : 'Wrong examples';
  const text =
    figures.task === 'classification'
      ? 'Test rows that the model was most sure about, and wrong.'
      : 'Test rows whose outputs are furthest from their targets.';
  const pictures = pictureOf(content.test);
  if (pictures) {
    return [
      {
        ...{ title, text, gallery: true },
        pictures: rows.map(({ row, is, predicted, how }) => ({
          caption: `test row ${row + 1}: is ${is}, predicted ${predicted} (${how})`,
          png: pictures(row),
        })),
      },
    ];
  }
  return [
    {
      ...{ title, text },
      table: {
        head: ['test row', 'is', 'predicted', hows[figures.task]],
        rows: rows.map(({ row, is, predicted, how }) => [row + 1, is, predicted, how]),
      },
    },
  ];
}

/** Rows as PNG files, where they are pictures: bytes of (height, width) or (height, width, 1 or 3). */
function pictureOf({ features, shape }: DataSet): ((row: number) => Uint8Array) | undefined {
  const [height = 0, width = 0, channels = 1] = shape;
  if (!(features instanceof Uint8Array) || shape.length < 2 || shape.length > 3 || ![1, 3].includes(channels)) {
    return undefined;
  }
  const zoom = Math.max(1, Math.round(PICTURE_WIDTH / width));
  const size = height * width * channels;
  return (row) => {
    const own = features.subarray(row * size, (row + 1) * size);
    const data = new Uint8Array(size * zoom * zoom);
    for (let y = 0; y < height * zoom; y++) {
      for (let x = 0; x < width * zoom; x++) {
        const from = (Math.floor(y / zoom) * width + Math.floor(x / zoom)) * channels;
        data.set(own.subarray(from, from + channels), (y * width * zoom + x) * channels);
      }
    }
    return encode({ width: width * zoom, height: height * zoom, channels: channels as 1 | 3, data });
  };
}
