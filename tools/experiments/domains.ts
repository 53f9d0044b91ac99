/** Half against full beside pictures: tables and signals. */

import { domainNames, domains as sets } from '../../src/data/domains.ts';
import { balancedAccuracy } from '../../src/train/confusion.ts';
import { count, percent } from '../common/output.ts';
import { accuracyAgainst, byData } from './charts.ts';
import type { Experiment, PlanOptions } from './experiment.ts';
import { type Lab, networkText } from './lab.ts';
import type { Report } from './sections.ts';
import { type Measured, type Result, type RunSpec, runSpec } from './spec.ts';
import { bySeries, figure, type Summary, summarise } from './summary.ts';
import { accuracyCell, points } from './tables.ts';

/** A class with more of the test rows than this: what counts is the balanced accuracy. */
const SKEWED = 0.8;

/** In a network of the plan: as many units as give a full network the trained numbers of the half one, which depends on the data. */
const EQUAL = 'equal';

function plan({ quick, runs, data = domainNames }: PlanOptions): RunSpec[] {
  const sizes = quick ? [64] : [64, 256, 1024];
  const rows = quick ? { trainRows: 1500, testRows: 1000, epochs: 5 } : { epochs: 20 };
  return Array.from({ length: runs }, (_, seed) =>
    data.flatMap((name) =>
      sizes.flatMap((units) =>
        [`half ${units} normal`, `dense ${EQUAL} relu`, `dense ${units} relu`].map((hidden) =>
          runSpec({ data: name, network: `${hidden}, dense classes`, seed, batch: 32, ...rows, extra: { units } }),
        ),
      ),
    ),
  ).flat();
}

/** Units of a full network with about as many trained numbers as a half one of `half` units. */
export function equalUnits(half: number, inputs: number, classes: number): number {
  const numbers = 2 * half + (half + 1) * classes;
  return Math.max(1, Math.round((numbers - classes) / (inputs + 1 + classes)));
}

async function measure(lab: Lab, spec: RunSpec): Promise<Measured> {
  const { train } = await lab.data(spec);
  const inputs = train.shape.reduce((a, b) => a * b, 1);
  const units = equalUnits(Number(spec.extra?.units), inputs, train.classes);
  const network = networkText(spec, train).replace(new RegExp(`\\b${EQUAL}\\b`), String(units));
  return lab.train({ ...spec, network });
}

const unitsOf = ({ spec }: Result) => Number(spec.extra?.units);

const kindOf = ({ spec }: Result): 'half' | 'full, as many numbers' | 'full, as wide' =>
  /^half/.test(spec.network) ? 'half' : spec.network.includes(EQUAL) ? 'full, as many numbers' : 'full, as wide';

/** Share of the largest class. */
export function largestShare({ confusion }: Pick<Result, 'confusion'>): number {
  const rows = confusion.map((row) => row.reduce((a, b) => a + b, 0));
  return Math.max(...rows) / rows.reduce((a, b) => a + b, 0);
}

/** The results with what counts in the place of the accuracy. */
const counted = (results: readonly Result[]): Result[] =>
  results.map((run) =>
    largestShare(run) > SKEWED
      ? { ...run, data: `${run.data} (balanced accuracy)`, testAccuracy: balancedAccuracy(run.confusion) }
      : run,
  );

function findings(results: readonly Result[]): string[] {
  return byData(counted(results)).map(([data, runs]) => {
    const widest = Math.max(...runs.map(unitsOf));
    const of = (kind: ReturnType<typeof kindOf>) =>
      runs.filter((run) => unitsOf(run) === widest && kindOf(run) === kind);
    const [half, equal, wide] = [of('half'), of('full, as many numbers'), of('full, as wide')];
    const mean = (own: readonly Result[]) => figure(own.map((run) => run.testAccuracy)).mean;
    const against = (own: readonly Result[], what: string) =>
      own.length
        ? ` ${points(mean(half) - mean(own))} points against a full one ${what} (${percent(mean(own))}, ${count(own[0]!.trainedParameters)} trained numbers)`
        : '';
    if (!half.length) return `${data}: no half network yet.`;
    return (
      `${data}: half ${widest} has ${percent(mean(half))} with ${count(half[0]!.trainedParameters)} trained numbers:` +
      [against(equal, 'of as many'), against(wide, 'as wide')].filter(Boolean).join(',') +
      '.'
    );
  });
}

function charts(results: readonly Result[]): Report {
  const groups = [...bySeries(results).values()];
  return {
    findings: findings(results),
    sections: [
      {
        title: 'Accuracy against trained numbers',
        text:
          'Test accuracy, mean and one standard deviation; where one class has more than 80% of the test rows the balanced accuracy, the mean of the ' +
          'shares of each class that are found. Full networks are those of as many trained numbers and those as wide.',
        charts: accuracyAgainst(summarise(counted(results)), {
          title: 'trained numbers',
          size: (row) => row.trainedParameters,
        }),
      },
      {
        title: 'All networks',
        text: Object.values(sets)
          .map(({ title }) => title)
          .join('; '),
        table: {
          head: [
            'data',
            'hidden units',
            'network',
            'runs',
            'test accuracy',
            'balanced accuracy',
            'trained',
            'largest class',
          ],
          rows: groups.map((own) => {
            const [row] = summarise(own) as [Summary];
            return [
              row.data,
              Number(/\d+/.exec(row.network)![0]),
              kindOf(own[0]!),
              own.length,
              accuracyCell(row.testAccuracy),
              accuracyCell(figure(own.map((run) => balancedAccuracy(run.confusion)))),
              count(row.trainedParameters),
              percent(largestShare(own[0]!)),
            ];
          }),
        },
      },
    ],
  };
}

export const domains: Experiment = {
  name: 'domains',
  title: 'Half layers beside pictures',
  question: 'Does it hold for tables and signals?',
  plan,
  measure,
  charts,
};
