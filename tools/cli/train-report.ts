/** `train --report`: learning curves, figures, wrong examples and the model's card, as one HTML file. */
import { writeResult } from '../../src/core/files.ts';
import { quoted } from '../../src/core/quote.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import type { Figures } from '../../src/train/figures.ts';
import type { EpochReport } from '../../src/train/fit.ts';
import { count, percent, significant } from '../common/output.ts';
import { confusionChart } from '../experiments/charts.ts';
import { drawing, pageHtml, type ReportPage } from '../experiments/page.ts';
import type { Chart, Section } from '../experiments/sections.ts';
import { headline, warnings } from './figures.ts';
import type { TrainedRun } from './trained-run.ts';
import { type Predicted, targetUnits, wrongExamples } from './wrong-examples.ts';

/** What a report is made from. */
export interface ReportContent extends Predicted {
  readonly run: TrainedRun;
  readonly data: string;
  readonly command: string;
  /** How the data was understood. */
  readonly notes: readonly string[];
}

/** More than so many classes make no readable matrix. */
const MOST_CLASSES = 30;
/** Points of a scatter plot. */
const POINTS = 1000;

type Series = readonly (readonly [name: string, of: (report: EpochReport) => number | undefined])[];

const epochAxis = {
  field: 'epoch',
  type: 'quantitative',
  axis: { tickMinStep: 1, format: 'd' },
  scale: { nice: false, zero: false },
};

/** One line a series over the epochs, and a rule at the best one. */
function curve(title: string, { history, bestEpoch }: TrainedRun, series: Series, format: string): Chart {
  const values = series.flatMap(([name, of]) =>
    history.flatMap((report) => {
      const value = of(report);
      return value === undefined || Number.isNaN(value) ? [] : [{ series: name, epoch: report.epoch, value }];
    }),
  );
  return {
    title,
    layer: [
      {
        data: { values },
        mark: { type: 'line', point: { size: 18 } },
        encoding: {
          x: epochAxis,
          y: { field: 'value', type: 'quantitative', title: null, axis: { format }, scale: { zero: false } },
          color: { field: 'series', type: 'nominal', title: null, sort: null, legend: { symbolType: 'stroke' } },
        },
      },
      ...(bestEpoch === undefined
        ? []
        : [
            {
              data: { values: [{ epoch: bestEpoch }] },
              mark: { type: 'rule', strokeDash: [4, 4], color: '#8a8a8a' },
              encoding: { x: epochAxis },
            },
          ]),
    ],
  };
}

function curves(run: TrainedRun): Section {
  const hasAccuracy = run.test.task !== 'regression';
  const best =
    run.bestEpoch === undefined ? '' : ` The dashed line marks epoch ${run.bestEpoch}, whose parameters were kept.`;
  return {
    title: 'Training',
    text: `Means over each epoch.${best}`,
    charts: [
      curve(
        'loss',
        run,
        [
          ['training', ({ loss }) => loss],
          ['validation', ({ validation }) => validation?.loss],
        ],
        '.3~g',
      ),
      ...(hasAccuracy
        ? [
            curve(
              'accuracy',
              run,
              [
                ['training', ({ accuracy }) => accuracy],
                ['validation', ({ validation }) => validation?.accuracy],
              ],
              '.1~%',
            ),
          ]
        : []),
    ],
  };
}

const share = (value: number) => (Number.isNaN(value) ? '-' : percent(value));

/** Figures on the test rows, as a section by task. */
function quality(figures: Figures, { outputs, test, names }: ReportContent): Section[] {
  if (figures.task === 'regression') {
    return [
      {
        title: 'Predictions against targets',
        text: 'Test rows; a perfect model has all points on the line.',
        charts: names.map((name, column) => scatter(name, column, outputs, test)),
        table: {
          head: ['target', 'R2', 'mean absolute error', 'root of the mean squared error'],
          rows: figures.targets.map(({ r2, mae, rmse }, i) => [
            names[i]!,
            r2.toFixed(4),
            significant(mae),
            significant(rmse),
          ]),
        },
      },
    ];
  }
  const [what, each] = figures.task === 'classification' ? ['class', figures.classes] : ['label', figures.labels];
  const table = {
    head: [what, 'test rows', 'precision', 'recall', 'F1'],
    rows: each.map(({ rows, precision, recall, f1 }, i) => [
      names[i]!,
      count(rows),
      share(precision),
      share(recall),
      share(f1),
    ]),
  };
  const matrix =
    figures.task === 'classification' && names.length <= MOST_CLASSES
      ? [
          {
            title: 'Confusion',
            text: 'Shares of the test rows of each class.',
            charts: [confusionChart('', [figures as never], names)],
          },
        ]
      : [];
  return [...matrix, { title: figures.task === 'classification' ? 'Classes' : 'Labels', table }];
}

function scatter(name: string, column: number, outputs: Float32Array, test: DataSet): Chart {
  const width = outputs.length / test.rows;
  const of = targetUnits(test, column);
  const step = Math.max(1, Math.ceil(test.rows / POINTS));
  const values = Array.from({ length: Math.floor((test.rows - 1) / step) + 1 }, (_, i) => ({
    target: of(test.targets![i * step * width + column]!),
    predicted: of(outputs[i * step * width + column]!),
  }));
  const ends = [...values].sort((a, b) => a.target - b.target);
  const line = [ends[0]!.target, ends.at(-1)!.target].map((target) => ({ target, predicted: target }));
  const encoding = {
    x: { field: 'target', type: 'quantitative', title: 'target', scale: { zero: false } },
    y: { field: 'predicted', type: 'quantitative', title: 'predicted', scale: { zero: false } },
  };
  return {
    title: name,
    layer: [
      { data: { values: line }, mark: { type: 'line', color: '#8a8a8a', strokeDash: [4, 4] }, encoding },
      { data: { values }, mark: { type: 'point', size: 14, opacity: 0.6 }, encoding },
    ],
  };
}

/** The page as plain data. */
export function reportPage(content: ReportContent): ReportPage {
  const { run, names, data, command, notes } = content;
  const figures = run.test;
  return {
    title: `${run.network} on ${data}`,
    lead: `On ${count(figures.rows)} test rows, which had no part in the training: ${headline(figures)
      .map((pair) => pair.join(' '))
      .join(', ')}.`,
    findings: warnings(figures, names),
    facts: [
      ['command', command],
      ['data', [data, ...notes].join('; ')],
      ['task', `${figures.task}: ${names.slice(0, 12).map(quoted).join(', ')}${names.length > 12 ? ', ...' : ''}`],
      ['network', run.network],
      ['seed', String(run.seed)],
      [
        'epochs',
        `${run.history.length} of ${run.epochs}${run.bestEpoch === undefined ? '' : `, the best is ${run.bestEpoch}`}`,
      ],
      ['numbers', `${count(run.trainedParameters)} trained, ${count(run.modelBytes)} bytes in the model file`],
      ['adapter', run.adapter],
      ['made', new Date().toISOString().slice(0, 16).replace('T', ' ')],
    ],
    sections: [curves(run), ...quality(figures, content), ...wrongExamples(figures, content)],
    footer:
      'Balanced accuracy: mean recall of the classes. Calibration error: mean distance between the probability of a prediction and how often such ' +
      'predictions are right. F1: harmonic mean of precision and recall. R2: 1 for perfect predictions, 0 for the mean of the targets.',
  };
}

/** Writes the report. Throws `ExperimentError` where charts cannot be drawn. */
export async function writeTrainReport(path: string, content: ReportContent): Promise<void> {
  await writeResult(path, await pageHtml(reportPage(content), await drawing()));
}
