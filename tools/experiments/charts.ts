/** The charts that several experiments share. */

import type { Chart } from './sections.ts';
import type { Result } from './spec.ts';
import { type Figure, figure, type Summary } from './summary.ts';

/** What a network is counted to: full, half normal, random binary, HalfNet, half convolutions. */
export function family(network: string): string {
  if (/\bconv/.test(network)) return /(half|random)-conv/.test(network) ? 'half convolutions' : 'convolutions';
  if (/ rank \d/.test(network)) return 'HalfNet (rank)';
  const [kind, , weights] = network.split(',')[0]!.trim().split(/\s+/);
  return kind === 'dense' ? 'full' : `${kind} ${weights}`;
}

/** Each data set's own, in the order in which they come. */
export function byData<T extends { readonly data: string }>(rows: readonly T[]): [data: string, rows: T[]][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) groups.set(row.data, [...(groups.get(row.data) ?? []), row]);
  return [...groups];
}

const ends = ({ mean, deviation }: Figure) => ({ mean, low: mean - deviation, high: mean + deviation });

export const accuracyAxis = { title: 'test accuracy', axis: { format: '.1%' }, scale: { zero: false } };

/** Means with error bars (one standard deviation) over a size on a logarithmic axis, a line a family: one chart a data set. */
export function accuracyAgainst(
  summary: readonly Summary[],
  { title, size }: { title: string; size: (row: Summary) => number },
): Chart[] {
  return byData(summary).map(([data, rows]) => ({
    title: data,
    data: {
      values: rows.map((row) => ({
        family: family(row.network),
        network: row.network,
        size: size(row),
        ...ends(row.testAccuracy),
      })),
    },
    encoding: {
      x: {
        field: 'size',
        type: 'quantitative',
        title,
        scale: { type: 'log', nice: false, padding: 12 },
        axis: { format: '~s', tickCount: 6 },
      },
      color: { field: 'family', type: 'nominal', title: null, sort: null },
    },
    layer: [
      { mark: 'line', encoding: { y: { field: 'mean', type: 'quantitative', ...accuracyAxis } } },
      { mark: 'rule', encoding: { y: { field: 'low', type: 'quantitative', ...accuracyAxis }, y2: { field: 'high' } } },
      {
        mark: { type: 'point', filled: true, size: 45 },
        encoding: {
          y: { field: 'mean', type: 'quantitative', ...accuracyAxis },
          shape: { field: 'family', type: 'nominal', title: null, sort: null },
        },
      },
    ],
  }));
}

interface FilePoint {
  readonly network: string;
  readonly file: string;
  readonly bytes: number;
  readonly accuracy: Figure;
}

/** Files by size and accuracy, and a line through those that none beats. */
export function frontChart(title: string, all: readonly FilePoint[], front: readonly FilePoint[]): Chart {
  const values = (points: readonly FilePoint[]) =>
    points.map(({ network, file, bytes, accuracy }) => ({ family: family(network), file, bytes, ...ends(accuracy) }));
  const scale = { type: 'log', nice: false, padding: 12 };
  const x = {
    field: 'bytes',
    type: 'quantitative',
    title: 'bytes of the model file',
    scale,
    axis: { format: '~s', tickCount: 6 },
  };
  const y = { field: 'mean', type: 'quantitative', ...accuracyAxis };
  const color = { field: 'family', type: 'nominal', title: null, sort: null };
  return {
    title,
    height: 340,
    layer: [
      {
        data: { values: values(front) },
        mark: { type: 'line', interpolate: 'step-after', color: '#8a8a8a', strokeWidth: 1.5 },
        encoding: { x, y },
      },
      {
        data: { values: values(all) },
        mark: 'rule',
        encoding: { x, color, y: { ...y, field: 'low' }, y2: { field: 'high' } },
      },
      {
        data: { values: values(all) },
        mark: { type: 'point', size: 50 },
        encoding: { x, y, color, shape: { field: 'file', type: 'nominal', title: 'file' } },
      },
    ],
  };
}

/** Held-out accuracy after each epoch, mean over the runs: a line a series, one chart a data set. */
export function learningCurves(results: readonly Result[], name: (result: Result) => string): Chart[] {
  return byData(results).map(([data, runs]) => {
    const groups = new Map<string, Result[]>();
    for (const run of runs) groups.set(name(run), [...(groups.get(name(run)) ?? []), run]);
    const values = [...groups].flatMap(([series, members]) =>
      members[0]!.history.map(({ epoch }, i) => ({
        series,
        epoch,
        ...ends(figure(members.flatMap(({ history }) => history[i]?.heldOutAccuracy ?? []))),
      })),
    );
    const heldOut = runs.some(({ validationAccuracy }) => validationAccuracy !== undefined) ? 'validation' : 'test';
    return {
      title: data,
      data: { values },
      encoding: {
        x: {
          field: 'epoch',
          type: 'quantitative',
          axis: { tickMinStep: 1, format: 'd' },
          scale: { nice: false, zero: false },
        },
        color: {
          field: 'series',
          type: 'nominal',
          title: null,
          sort: null,
          legend: { symbolType: 'stroke' },
        },
      },
      layer: [
        {
          mark: { type: 'area', opacity: 0.15 },
          encoding: { y: { field: 'low', type: 'quantitative' }, y2: { field: 'high' } },
        },
        {
          mark: { type: 'line', point: { size: 18 } },
          encoding: { y: { field: 'mean', type: 'quantitative', ...accuracyAxis, title: `${heldOut} accuracy` } },
        },
      ],
    };
  });
}

/** A line a series over layers, or over another number (`fractions`: not a whole one). */
export function lines(
  title: string,
  values: readonly { readonly series: string; readonly layer: number; readonly value: number }[],
  axes: { x: string; title: string; log?: boolean; percent?: boolean; fractions?: boolean },
): Chart {
  const range = axes.log ? { type: 'log' } : { zero: !axes.percent };
  const format = axes.percent ? '.0%' : axes.log ? '.0e' : '.2f';
  return {
    title,
    data: { values },
    mark: { type: 'line', point: true },
    encoding: {
      x: {
        field: 'layer',
        type: 'quantitative',
        title: axes.x,
        axis: axes.fractions ? {} : { tickMinStep: 1, format: 'd' },
        scale: { zero: false },
      },
      y: { field: 'value', type: 'quantitative', title: axes.title, axis: { format }, scale: range },
      color: { field: 'series', type: 'nominal', title: null, sort: null, legend: { labelLimit: 0 } },
    },
  };
}

/** Means with error bars side by side, a row a name: one chart a data set. */
export function compared(
  rows: readonly { readonly data: string; readonly name: string; readonly kind: string; readonly accuracy: Figure }[],
): Chart[] {
  const alone = new Set(rows.map(({ kind }) => kind)).size === 1;
  return byData(rows).map(([data, members]) => ({
    title: data,
    width: 380,
    height: { step: alone ? 26 : 16 },
    data: { values: members.map(({ name, kind, accuracy }) => ({ name, kind, ...ends(accuracy) })) },
    encoding: {
      y: { field: 'name', type: 'nominal', title: null, sort: null },
      yOffset: { field: 'kind', type: 'nominal', sort: null },
      color: { field: 'kind', type: 'nominal', title: null, sort: null, ...(alone && { legend: null }) },
    },
    layer: [
      {
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { x: { field: 'low', type: 'quantitative', ...accuracyAxis }, x2: { field: 'high' } },
      },
      {
        mark: { type: 'point', filled: true, size: 55 },
        encoding: { x: { field: 'mean', type: 'quantitative', ...accuracyAxis } },
      },
      ...(alone
        ? [
            {
              mark: { type: 'text', dy: -9, fontSize: 9 },
              encoding: {
                x: { field: 'mean', type: 'quantitative', ...accuracyAxis },
                text: { field: 'mean', type: 'quantitative', format: '.2%' },
                color: { value: 'currentColor' },
              },
            },
          ]
        : []),
    ],
  }));
}

/** How often each accuracy comes. `marked`: one that is pointed at. */
export function histogram(
  title: string,
  accuracies: readonly number[],
  marked: readonly { label: string; value: number }[],
): Chart {
  const x = { type: 'quantitative', title: 'test accuracy', axis: { format: '.2%' }, scale: { zero: false } };
  return {
    title,
    layer: [
      {
        data: { values: accuracies.map((accuracy) => ({ accuracy })) },
        mark: { type: 'bar', opacity: 0.8 },
        encoding: { x: { ...x, field: 'accuracy', bin: { maxbins: 16 } }, y: { aggregate: 'count', title: 'seeds' } },
      },
      {
        data: { values: marked },
        mark: { type: 'rule', strokeWidth: 2 },
        encoding: { x: { ...x, field: 'value' }, color: { field: 'label', type: 'nominal', title: null, sort: null } },
      },
    ],
  };
}

/** Shares of test rows by label and prediction, over all runs. */
export function confusionChart(
  title: string,
  results: readonly Pick<Result, 'confusion'>[],
  names?: readonly string[],
): Chart {
  const classes = results[0]!.confusion.length;
  const name = (i: number) => names?.[i] ?? String(i);
  const values = Array.from({ length: classes }, (_, label) => {
    const rows = results.map(({ confusion }) => confusion[label]!);
    const total = rows.flat().reduce((a, b) => a + b, 0);
    return Array.from({ length: classes }, (_, predicted) => ({
      label: name(label),
      predicted: name(predicted),
      right: label === predicted,
      share: rows.reduce((sum, row) => sum + row[predicted]!, 0) / Math.max(1, total),
    }));
  }).flat();
  const at = {
    x: {
      field: 'predicted',
      type: 'nominal',
      sort: null,
      axis: { orient: 'top', labelAngle: names ? -45 : 0 },
      title: 'predicted',
    },
    y: { field: 'label', type: 'nominal', sort: null, title: 'is' },
  };
  return {
    title,
    width: { step: 34 },
    height: { step: 24 },
    data: { values },
    encoding: at,
    layer: [
      {
        mark: 'rect',
        encoding: {
          color: { condition: { test: 'datum.right', value: '#2e9e6b' }, value: '#d1495b' },
          opacity: {
            field: 'share',
            type: 'quantitative',
            legend: null,
            scale: { type: 'pow', exponent: 0.5, range: [0, 0.85] },
          },
        },
      },
      {
        transform: [{ filter: 'datum.share >= 0.0005' }],
        mark: { type: 'text', fontSize: 9 },
        encoding: { text: { field: 'share', type: 'quantitative', format: '.1%' } },
      },
    ],
  };
}
