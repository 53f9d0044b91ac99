/** The paper's comparison: full, half and random networks over hidden sizes and randomisations. */
import { accuracyAgainst, byData, compared, confusionChart, family, learningCurves } from './charts.ts';
import { classNames } from './data.ts';
import type { Experiment, PlanOptions } from './experiment.ts';
import { receptiveFieldsSection } from './pictures.ts';
import type { Report, Section } from './sections.ts';
import { type Result, type RunSpec, runSpec } from './spec.ts';
import { type Summary, summarise } from './summary.ts';
import { accuracyCell, points, summaryTable } from './tables.ts';

/** Those of images come last: the report shows what there is. */
export const randomisations = ['normal', 'binary', 'uniform', 'sparse', 'orthogonal', 'mexican-hat', 'patch'];
/** Where random networks are made with every randomisation; elsewhere with normal weights only. */
const MIDDLE = 512;

/** Every network once. */
function networks(quick: boolean): string[] {
  const { full, half } = quick
    ? { full: [32], half: [128, MIDDLE] }
    : { full: [32, 128, 512], half: [128, MIDDLE, 2048] };
  return [
    ...full.map((units) => `dense ${units} relu, dense classes`),
    ...half.flatMap((units) =>
      randomisations.flatMap((weights) => [
        `half ${units} ${weights}, dense classes`,
        ...(weights === 'normal' || units === MIDDLE ? [`random ${units} ${weights}, dense classes`] : []),
      ]),
    ),
  ];
}

/** Networks trained alike. Seed after seed, so that an experiment that was stopped compares all of them as well. */
export function compare(
  { quick, runs, data = ['mnist', 'fashion-mnist'] }: PlanOptions,
  networks: readonly string[],
): RunSpec[] {
  const rows = quick ? { trainRows: 4000, testRows: 1000, epochs: 2 } : { epochs: 6 };
  return Array.from({ length: runs }, (_, seed) =>
    data.flatMap((name) => networks.map((network) => runSpec({ data: name, network, seed, ...rows }))),
  ).flat();
}

/** half 512 normal -> 512. */
const unitsOf = (network: string): number => Number(/^\w+ (\d+)/.exec(network)?.[1]);

function findings(summary: readonly Summary[]): string[] {
  return byData(summary).flatMap(([data, rows]) => {
    const best = (kind: string) =>
      rows
        .filter(({ network }) => network.startsWith(kind))
        .sort((a, b) => b.testAccuracy.mean - a.testAccuracy.mean)[0];
    const [full, half] = [best('dense'), best('half')];
    if (!full || !half) return [];
    const share = (100 * half.trainedParameters) / full.trainedParameters;
    const pairs = rows.flatMap((row) => {
      const random = rows.find(({ network }) => network === row.network.replace('half', 'random'));
      return row.network.startsWith('half') && random ? [row.testAccuracy.mean - random.testAccuracy.mean] : [];
    });
    return [
      `${data}: the best full network (${full.network}) has ${accuracyCell(full.testAccuracy)}, the best half network (${half.network}) ` +
        `${accuracyCell(half.testAccuracy)} with ${share.toFixed(1)}% of its trained parameters.`,
      ...(pairs.length
        ? [
            `${data}: trained scales and biases are worth ${points(Math.min(...pairs))} to ${points(Math.max(...pairs))} points against the ` +
              `random network of the same weights, over ${pairs.length} pairs.`,
          ]
        : []),
    ];
  });
}

function charts(results: readonly Result[]): Report {
  const summary = summarise(results);
  const atMiddle = summary.filter(({ network }) => unitsOf(network) === MIDDLE && !network.startsWith('dense'));
  const plain = summary.filter(({ network }) => /^dense|^(half|random) \d+ normal/.test(network));
  const curves = results.filter(
    ({ network }) => unitsOf(network) === MIDDLE && /^dense|^(half|random) \d+ normal/.test(network),
  );
  const shown = byData(results).flatMap(([data, runs]): Section[] => {
    const largest = runs.reduce(
      (most, run) => Math.max(most, /^half \d+ normal/.test(run.network) ? unitsOf(run.network) : 0),
      0,
    );
    const chosen = runs.filter(({ network }) => network.startsWith(`half ${largest} normal`));
    if (!chosen.length) return [];
    return [{ title: `Confusion on ${data}`, charts: [confusionChart(chosen[0]!.network, chosen, classNames(data))] }];
  });
  return {
    findings: findings(summary),
    sections: [
      {
        title: 'Accuracy against trained parameters',
        text:
          'Full networks against half and random ones with normal weights: means with one standard deviation over the seeds, a line joins the hidden ' +
          'sizes. The numbers of all networks are in the table at the end.',
        charts: accuracyAgainst(plain, { title: 'trained parameters', size: (row) => row.trainedParameters }),
      },
      {
        title: 'Accuracy against hidden units',
        text: 'The same networks: what a half or random layer lacks against a full one of its width.',
        charts: accuracyAgainst(plain, { title: 'hidden units', size: ({ network }) => unitsOf(network) }),
      },
      {
        title: `Randomisations, ${MIDDLE} units`,
        text: 'Half: scales and biases are trained. Random: the output layer alone. Means with one standard deviation.',
        charts: compared(
          atMiddle.map(({ data, network, testAccuracy }) => {
            const [kind, weights] = family(network).split(' ') as [string, string];
            return { data, name: weights, kind, accuracy: testAccuracy };
          }),
        ),
      },
      {
        title: 'Learning curves',
        text: `Networks of ${MIDDLE} hidden units; the band is one standard deviation.`,
        charts: learningCurves(curves, ({ network }) => family(network)),
      },
      ...receptiveFieldsSection([
        ...new Set(results.flatMap(({ network }) => /^half \d+ ([\w-]+)/.exec(network)?.[1] ?? [])),
      ]),
      ...shown,
      { title: 'All networks', table: summaryTable(summary) },
    ],
  };
}

export const paper: Experiment = {
  name: 'paper',
  title: 'Full, half and random networks',
  question: 'What accuracy for what size, and which randomisation?',
  plan: (options) => compare(options, networks(options.quick)),
  charts,
};
