/** What half layers bear: pictures made worse at the test, wrong labels in the training. */

import type { DataSet } from '../../src/data/dataset.ts';
import type { Model } from '../../src/model/model.ts';
import { confusionMatrix } from '../../src/train/confusion.ts';
import { count, percent } from '../common/output.ts';
import { byData, lines } from './charts.ts';
import { type Disturbance, disturb, disturbances, mislabel } from './disturb.ts';
import type { Experiment, PlanOptions } from './experiment.ts';
import { accuracyOf, type Lab } from './lab.ts';
import type { Chart, Report } from './sections.ts';
import { type Measured, type Result, type RunSpec, runSpec } from './spec.ts';
import { bySeries, figure } from './summary.ts';
import { accuracyCell, points } from './tables.ts';

type Kind = 'half' | 'full, as many numbers' | 'full, as accurate';

/** Hidden layers. On MNIST and Fashion-MNIST the half one has 12,298 trained numbers, the first full one 12,730; the other is about as accurate. */
const hidden = (data: string, quick: boolean): readonly (readonly [Kind, string])[] => [
  ['half', `half ${quick ? 512 : 1024} normal`],
  ['full, as many numbers', `dense ${quick ? 8 : 16} relu`],
  ['full, as accurate', `dense ${quick ? 24 : data === 'mnist' ? 32 : 40} relu`],
];

function plan({ quick, runs, data = ['mnist', 'fashion-mnist'] }: PlanOptions): RunSpec[] {
  const rows = quick ? { trainRows: 4000, testRows: 500, epochs: 3 } : { trainRows: 20_000, testRows: 5000, epochs: 6 };
  return Array.from({ length: runs }, (_, seed) =>
    data.flatMap((name) =>
      (quick ? [0, 0.4] : [0, 0.2, 0.4]).flatMap((wrong) =>
        hidden(name, quick).map(([kind, layer]) =>
          runSpec({ data: name, network: `${layer}, dense classes`, seed, ...rows, extra: { kind, wrong } }),
        ),
      ),
    ),
  ).flat();
}

interface Disturbed {
  readonly kind: Disturbance;
  readonly level: number;
  readonly accuracy: number;
}

async function measure(lab: Lab, spec: RunSpec): Promise<Measured> {
  const wrong = Number(spec.extra?.wrong);
  let trained: { model: Model; test: DataSet } | undefined;
  const run = await lab.train(
    spec,
    (model, { test }) => {
      trained = { model, test };
    },
    (parts) => (wrong ? { ...parts, train: mislabel(parts.train, wrong, spec.seed) } : parts),
  );
  if (wrong || !trained) return run;
  const disturbed: Disturbed[] = [];
  for (const kind of Object.keys(disturbances) as Disturbance[]) {
    for (const level of disturbances[kind]) {
      const confusion = await confusionMatrix(lab.main, trained.model, disturb(trained.test, kind, level));
      disturbed.push({ kind, level, accuracy: accuracyOf(confusion) });
    }
  }
  return { ...run, extra: { disturbed } };
}

const kindOf = ({ spec }: Result) => String(spec.extra?.kind) as Kind;
const wrongOf = ({ spec }: Result) => Number(spec.extra?.wrong);
const mean = (own: readonly Result[], value: (run: Result) => number) => figure(own.map(value)).mean;

/** Accuracy of a trained network at a level of a disturbance; 0 is the test data as they are. */
function accuracyAt(run: Result, kind: Disturbance, level: number): number {
  const found = ((run.extra?.disturbed ?? []) as Disturbed[]).find((one) => one.kind === kind && one.level === level);
  return found?.accuracy ?? run.testAccuracy;
}

const axes: Readonly<Record<Disturbance, string>> = {
  noise: 'deviation of the noise',
  shift: 'pixels of shift',
  rotation: 'degrees of rotation',
  missing: 'share of the pixels missing',
};

function disturbanceCharts(results: readonly Result[], kind: Disturbance): Chart[] {
  return byData(results.filter((run) => !wrongOf(run))).map(([data, runs]) =>
    lines(
      data,
      [...bySeries(runs).values()].flatMap((own) =>
        [0, ...disturbances[kind]].map((level) => ({
          series: kindOf(own[0]!),
          layer: level,
          value: mean(own, (run) => accuracyAt(run, kind, level)),
        })),
      ),
      { x: axes[kind], title: 'test accuracy', percent: true, fractions: true },
    ),
  );
}

function findings(results: readonly Result[]): string[] {
  return byData(results).flatMap(([data, runs]) => {
    const groups = [...bySeries(runs).values()];
    const of = (kind: Kind, wrong: number) =>
      groups.find(([first]) => kindOf(first!) === kind && wrongOf(first!) === wrong) ?? [];
    const loss = (kind: Kind, value: (run: Result) => number) =>
      points(mean(of(kind, 0), value) - mean(of(kind, 0), (run) => run.testAccuracy));
    const kinds: readonly Kind[] = ['half', 'full, as many numbers', 'full, as accurate'];
    if (kinds.some((kind) => !of(kind, 0).length)) return [];
    const each = (say: (kind: Kind) => string) => kinds.map((kind) => `${kind} ${say(kind)}`).join('; ');
    const comparisons = (Object.keys(disturbances) as Disturbance[]).map((kind) => {
      const level = disturbances[kind].at(-2)!;
      return `${data}, ${axes[kind]} ${level}: ${each((one) => `${loss(one, (run) => accuracyAt(run, kind, level))} points`)}.`;
    });
    const most = Math.max(...runs.map(wrongOf));
    const labels = kinds.every((kind) => of(kind, most).length)
      ? [
          `${data}, ${percent(most)} of the training labels wrong: ` +
            `${each((one) => `${percent(mean(of(one, most), (run) => run.testAccuracy))} (${points(mean(of(one, most), (run) => run.testAccuracy) - mean(of(one, 0), (run) => run.testAccuracy))} points)`)}.`,
        ]
      : [];
    return [...comparisons, ...labels];
  });
}

function charts(results: readonly Result[]): Report {
  const clean = [...bySeries(results.filter((run) => !wrongOf(run))).values()];
  return {
    findings: findings(results),
    sections: [
      ...(Object.keys(disturbances) as Disturbance[]).map((kind) => ({
        title: `Test pictures: ${axes[kind]}`,
        charts: disturbanceCharts(results, kind),
      })),
      {
        title: 'Training labels that are wrong',
        text: 'Another class, each as likely; the test labels are right.',
        charts: byData(results).map(([data, runs]) =>
          lines(
            data,
            [...bySeries(runs).values()].map((own) => ({
              series: kindOf(own[0]!),
              layer: wrongOf(own[0]!),
              value: mean(own, (run) => run.testAccuracy),
            })),
            { x: 'share of the labels', title: 'test accuracy', percent: true, fractions: true },
          ),
        ),
      },
      {
        title: 'Test pictures made worse, all figures',
        table: {
          head: ['data', 'network', 'runs', 'as they are', ...levels.map(([kind, level]) => `${kind} ${level}`)],
          rows: clean.map((own) => [
            own[0]!.data,
            `${kindOf(own[0]!)} (${count(own[0]!.trainedParameters)})`,
            own.length,
            accuracyCell(figure(own.map((run) => run.testAccuracy))),
            ...levels.map(([kind, level]) => percent(mean(own, (run) => accuracyAt(run, kind, level)))),
          ]),
        },
      },
      {
        title: 'Wrong labels, all figures',
        table: {
          head: ['data', 'network', 'labels wrong', 'runs', 'test accuracy', 'accuracy on its training rows'],
          rows: [...bySeries(results).values()].map((own) => [
            own[0]!.data,
            kindOf(own[0]!),
            percent(wrongOf(own[0]!)),
            own.length,
            accuracyCell(figure(own.map((run) => run.testAccuracy))),
            accuracyCell(figure(own.map((run) => run.history.at(-1)!.accuracy))),
          ]),
        },
      },
    ],
  };
}

const levels = (Object.keys(disturbances) as Disturbance[]).flatMap((kind) =>
  disturbances[kind].map((level) => [kind, level] as const),
);

export const robustness: Experiment = {
  name: 'robustness',
  title: 'What half layers bear',
  question: 'Do they lose less than full networks under noise, shifts, rotations, missing pixels and wrong labels?',
  defaultRuns: (quick) => (quick ? 2 : 3),
  plan,
  suits: ({ extra }, { shape }) => Number(extra?.wrong) > 0 || shape.length === 2, // pictures are disturbed, labels of anything
  measure,
  charts,
};
