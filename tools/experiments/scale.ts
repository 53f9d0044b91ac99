/** Why half layers need their calibrated start: saturation and gradients through depth, with it and without. */

import { ShapeError } from '../../src/core/errors.ts';
import { type DataSet, featuresAsFloats } from '../../src/data/dataset.ts';
import { rowsOf } from '../../src/data/split.ts';
import { boundByName } from '../../src/graph/graph.ts';
import { elements, type Value } from '../../src/graph/value.ts';
import type { Model } from '../../src/model/model.ts';
import { evaluateGraph } from '../../src/reference/graph.ts';
import { calibrate } from '../../src/train/calibrate.ts';
import { batchGraph } from '../../src/train/graphs.ts';
import { percent } from '../common/output.ts';
import { lines } from './charts.ts';
import type { Experiment, PlanOptions } from './experiment.ts';
import type { Lab } from './lab.ts';
import type { Chart, Report } from './sections.ts';
import { type Measured, type Result, type RunSpec, runSpec, type Start } from './spec.ts';
import { bySeries, figure } from './summary.ts';
import { accuracyCell } from './tables.ts';

const UNITS = 256;
/** Rows on which saturation and gradients are looked at. */
const LOOKED_AT = 128;
const starts: readonly Start[] = ['raw', 'scaled', 'calibrated', 'auto'];

/** A hidden layer, on rows of the training data. */
export interface LayerState {
  /** Share of its outputs where the activation is flat: tanh beyond 0.99, relu at 0. */
  readonly saturated: number;
  /** Share of its units that are flat for every row. */
  readonly dead: number;
  /** Norm of the loss's gradient with respect to its scales and biases. */
  readonly gradient: number;
}

function plan({ quick, runs, data = ['mnist'] }: PlanOptions): RunSpec[] {
  const depths = quick ? [1, 4] : [1, 2, 4, 8];
  const rows = quick ? { trainRows: 2000, testRows: 1000, epochs: 2 } : { trainRows: 20_000, epochs: 4 };
  return Array.from({ length: runs }, (_, seed) =>
    data.flatMap((name) =>
      ['tanh', 'relu'].flatMap((activation) =>
        depths.flatMap((depth) =>
          starts.map((start) => {
            const hidden = new Array<string>(depth).fill(`half ${UNITS} normal ${activation}`);
            return runSpec({ data: name, network: [...hidden, 'dense classes'].join(', '), seed, start, ...rows });
          }),
        ),
      ),
    ),
  ).flat();
}

/** The hidden half layers of a model, by the float64 twins of the kernels. */
export function layerStates(model: Model, data: DataSet): LayerState[] {
  const rows = Math.min(LOOKED_AT, data.rows);
  const sample = rowsOf(data, 0, rows);
  const { graph, source, targets } = batchGraph(model, rows, {
    loss: 'crossEntropy',
    optimizer: { kind: 'sgd', momentum: 0 },
    cached: false,
  });
  const values = new Map<Value, Float64Array>([
    [source, Float64Array.from(featuresAsFloats(sample))],
    [targets, Float64Array.from(sample.labels)],
  ]);
  for (const [value, numbers] of boundByName(graph, model.parameters)) values.set(value, Float64Array.from(numbers));
  for (const value of graph.values) if (value.role === 'state') values.set(value, new Float64Array(elements(value)));
  evaluateGraph(graph, values);
  const hidden = graph.nodes.flatMap((node) => (node.op === 'epilogue' && node.u ? [node] : []));
  return hidden.map(({ y, z, activation }) => {
    const gradients = graph.nodes.find((node) => node.op === 'epilogueParameterGradient' && node.z === z);
    if (gradients?.op !== 'epilogueParameterGradient')
      throw new ShapeError('scale: expected gradients of every half layer');
    const outputs = values.get(y)!;
    const units = outputs.length / rows;
    const flat = Array.from(outputs, (value) => (activation === 'relu' ? value <= 0 : Math.abs(value) > 0.99));
    const dead = Array.from({ length: units }, (_, unit) => flat.every((is, i) => is || i % units !== unit));
    const numbers = [gradients.du, gradients.db].flatMap((value) => (value ? [...values.get(value)!] : []));
    return {
      saturated: flat.filter(Boolean).length / flat.length,
      dead: dead.filter(Boolean).length / units,
      gradient: Math.hypot(...numbers),
    };
  });
}

async function measure(lab: Lab, spec: RunSpec): Promise<Measured> {
  const { train } = await lab.data(spec);
  const model = lab.model(spec, train);
  const { start = 'calibrated' } = spec;
  if (start === 'calibrated') await calibrate(lab.main, model, train);
  if (start === 'auto') await calibrate(lab.main, model, train, 'auto');
  const atStart = layerStates(model, train);
  let atEnd: LayerState[] = [];
  const run = await lab.train(spec, (trained) => {
    atEnd = layerStates(trained, train);
  });
  return { ...run, extra: { atStart, atEnd } };
}

const statesOf = (run: Result, when: 'atStart' | 'atEnd') => (run.extra?.[when] ?? []) as LayerState[];
const depthOf = ({ network }: Result) => network.split(',').length - 1;
const activationOf = ({ network }: Result) => (/ tanh/.test(network) ? 'tanh' : 'relu');
const startOf = ({ spec }: Result) => spec.start ?? 'calibrated';

/** A value of each layer through the deepest networks, a line a start: one chart an activation. */
function throughDepth(
  results: readonly Result[],
  title: string,
  value: (state: LayerState) => number,
  log: boolean,
): Chart[] {
  const deepest = Math.max(...results.map(depthOf));
  return ['tanh', 'relu'].map((activation) => {
    const runs = results.filter((run) => depthOf(run) === deepest && activationOf(run) === activation);
    const values = [...bySeries(runs).values()].flatMap((own) =>
      Array.from({ length: deepest }, (_, i) => ({
        series: startOf(own[0]!),
        layer: i + 1,
        value: figure(own.map((run) => value(statesOf(run, 'atStart')[i]!))).mean,
      })),
    );
    return lines(activation, values, { x: 'layer', title, log });
  });
}

function charts(results: readonly Result[]): Report {
  const groups = [...bySeries(results).values()];
  const deepest = Math.max(...results.map(depthOf));
  const mean = (own: readonly Result[], value: (run: Result) => number) => figure(own.map(value)).mean;
  const at = (own: readonly Result[], layer: number) =>
    mean(own, (run) => statesOf(run, 'atStart').at(layer)!.gradient).toPrecision(2);
  return {
    findings: groups
      .filter(([first]) => depthOf(first!) === deepest)
      .map((own) => {
        const first = own[0]!;
        const saturated = mean(own, (run) => statesOf(run, 'atStart').at(-1)!.saturated);
        return (
          `${deepest} layers of ${activationOf(first)}, ${startOf(first)} start: ${percent(saturated)} of the last layer's outputs are flat at the start, the ` +
          `gradient's norm goes from ${at(own, 0)} in the first layer to ${at(own, -1)} in the last; after training ` +
          `${accuracyCell(figure(own.map((run) => run.testAccuracy)))}.`
        );
      }),
    sections: [
      {
        title: 'Accuracy through depth',
        text:
          'Raw: random weights count as if they had variance 1. Scaled: variance 1 / fan-in, as this library draws them. Calibrated: scales and biases ' +
          'fitted to the data first, so that each unit starts with mean 0 and variance 1 on it. Auto: calibrated up to two half layers, scaled from ' +
          'three on, which is the default.',
        charts: ['tanh', 'relu'].map((activation) =>
          lines(
            activation,
            groups
              .filter(([first]) => activationOf(first!) === activation)
              .map((own) => ({
                series: startOf(own[0]!),
                layer: depthOf(own[0]!),
                value: mean(own, (run) => run.testAccuracy),
              })),
            { x: 'hidden layers', title: 'test accuracy', percent: true },
          ),
        ),
      },
      {
        title: `Flat outputs at the start, ${deepest} layers`,
        text: 'Share of the outputs of each layer where the activation does not move: tanh beyond 0.99, relu at 0.',
        charts: throughDepth(results, 'flat outputs', ({ saturated }) => saturated, false),
      },
      {
        title: `Gradients at the start, ${deepest} layers`,
        text: "Norm of the loss's gradient with respect to the scales and biases of each layer.",
        charts: throughDepth(results, 'norm of the gradient', ({ gradient }) => gradient, true),
      },
      {
        title: 'All networks',
        table: {
          head: [
            'activation',
            'layers',
            'start',
            'runs',
            'flat, first to last',
            'dead units, first to last',
            'gradient, first to last',
            'test accuracy',
          ],
          rows: groups.map((own) => {
            const through = (value: (state: LayerState) => number, show: (value: number) => string) => {
              const at = (i: number) => show(mean(own, (run) => value(statesOf(run, 'atStart').at(i)!)));
              return `${at(0)} to ${at(-1)}`;
            };
            return [
              activationOf(own[0]!),
              depthOf(own[0]!),
              startOf(own[0]!),
              own.length,
              through(({ saturated }) => saturated, percent),
              through(({ dead }) => dead, percent),
              through(
                ({ gradient }) => gradient,
                (value) => value.toPrecision(2),
              ),
              accuracyCell(figure(own.map((run) => run.testAccuracy))),
            ];
          }),
        },
      },
    ],
  };
}

export const scale: Experiment = {
  name: 'scale',
  title: 'Without the calibrated start',
  question: 'How do badly scaled random products saturate, vanish and explode through depth, and what cures it?',
  defaultRuns: (quick) => (quick ? 2 : 3),
  plan,
  measure,
  charts,
};
