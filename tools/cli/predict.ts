/** `weightless predict`: what a model makes of pictures, or of rows of tables. */
import type { Backend } from '../../src/backend/backend.ts';
import { DataError } from '../../src/core/errors.ts';
import { escapeControls } from '../../src/core/quote.ts';
import { type Model, outputSize } from '../../src/model/model.ts';
import type { OutputSpec } from '../../src/model/preparation.ts';
import { preparationOf } from '../../src/model/preparation-metadata.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { type Estimate, estimatesOf, type Prediction, predictionsOf } from '../../src/predict/predictions.ts';
import { createPredictor } from '../../src/predict/predictor.ts';
import { softmax } from '../../src/predict/softmax.ts';
import { readModelFile } from '../common/model-file.ts';
import { percent, print, say, significant, table, writeOut } from '../common/output.ts';
import { type Input, type InputOptions, inputsOf, type Source } from './predict-inputs.ts';

export interface PredictOptions extends InputOptions {
  json?: boolean;
  /** Prints CSV: a row for each input. */
  csv?: boolean;
}

/** Inputs that are computed together. */
const BATCH = 256;

export async function predictCommand(
  context: Backend,
  file: string,
  paths: readonly string[],
  options: PredictOptions,
): Promise<void> {
  if (options.json && options.csv) throw new DataError('predict: expected --json or --csv, got both. Leave one out.');
  const model = readModel(await readModelFile(file));
  const spec: OutputSpec = preparationOf(model)?.outputs ?? { task: 'classification', classes: [] };
  const inputs = await inputsOf(file, model, paths, options, say);
  const outputs = await outputsOf(context, model, inputs);
  const { head, rows, values } = reportOf(spec, inputs, outputs, outputSize(model));
  const kind = inputs[0]?.picture === undefined ? 'row' : 'picture';
  if (options.csv) {
    const places = kind === 'row' ? ['file', 'row'] : ['picture'];
    const placed = ({ picture, file, row }: Source) => (picture === undefined ? [file, row] : [picture]);
    const lines = values.map((cells, i) => [...placed(inputs[i]!), ...cells]);
    const text = [[...places, ...head.csv], ...lines].map((cells) => `${cells.map(csvCell).join(',')}\n`).join('');
    writeOut(escapeControls(text, '\r\n\t'));
    return;
  }
  const found = rows.map(({ shown: _, ...fields }, i) => ({ ...sourceOf(inputs[i]!), ...fields }));
  print(options.json, found, () =>
    table(
      [kind, ...head.shown],
      rows.map(({ shown }, i) => {
        const { picture, file: from, row } = inputs[i]!;
        return [picture ?? `${from} ${row}`, ...shown];
      }),
    ),
  );
}

const sourceOf = ({ input: _, ...source }: Input): Source => source;

/** (rows, outputs) row-major. */
async function outputsOf(context: Backend, model: Model, inputs: readonly Input[]): Promise<Float32Array> {
  const width = outputSize(model);
  const outputs = new Float32Array(inputs.length * width);
  const predictor = await createPredictor(context, model);
  try {
    for (let from = 0; from < inputs.length; from += BATCH) {
      const part = inputs.slice(from, from + BATCH);
      const size = part[0]!.input.length;
      const batch = new Float32Array(part.length * size);
      for (const [i, { input }] of part.entries()) batch.set(input, i * size);
      outputs.set(await predictor.predict(batch), from * width);
    }
  } finally {
    await predictor.dispose();
  }
  return outputs;
}

interface Report {
  readonly head: { readonly shown: readonly string[]; readonly csv: readonly string[] };
  /** By question: the fields of `--json`, and the cells that people see. */
  readonly rows: readonly { readonly shown: readonly string[]; readonly [field: string]: unknown }[];
  /** By question: cells of `--csv`. */
  readonly values: readonly (readonly (string | number)[])[];
}

function reportOf(spec: OutputSpec, inputs: readonly Input[], outputs: Float32Array, width: number): Report {
  if (spec.task === 'regression') {
    const estimates = estimatesOf(spec, outputs);
    const names = spec.targets.map(({ name }) => name);
    return {
      head: { shown: names, csv: names },
      rows: estimates.map((values) => ({ values, shown: values.map(shownEstimate) })),
      values: estimates.map((values) => values.map(({ value }) => value)),
    };
  }
  const predictions = predictionsOf(spec, outputs, { width });
  if (spec.task === 'multilabel') {
    const shownLabels = (labels: readonly Prediction[]) =>
      labels.map(({ label, probability }) => `${label} (${percent(probability)})`).join(', ');
    return {
      head: { shown: ['labels'], csv: ['labels'] },
      rows: predictions.map((labels) => ({ labels, shown: [shownLabels(labels)] })),
      values: predictions.map((labels) => [labels.map(({ label }) => label).join(spec.separator)]),
    };
  }
  return {
    head: { shown: ['class', 'score', 'next'], csv: ['class', 'probability'] },
    rows: inputs.map((_, i) => {
      const logits = outputs.subarray(i * width, (i + 1) * width);
      const scores = [...softmax(logits, width)];
      const best = scores.indexOf(Math.max(...scores));
      const [first, second] = predictions[i]!;
      const next = second ? `${second.label} (${percent(second.probability)})` : '';
      return {
        class: best,
        ...(spec.classes.length && { name: first!.label }),
        scores,
        logits: [...logits],
        shown: [first!.label, percent(first!.probability), next],
      };
    }),
    values: predictions.map(([first]) => [first!.label, first!.probability]),
  };
}

const shownEstimate = ({ value, unit }: Estimate) => `${significant(value, 6)}${unit === undefined ? '' : ` ${unit}`}`;

/** A cell of RFC 4180. */
const csvCell = (value: string | number | undefined): string => {
  const text = String(value ?? '');
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
