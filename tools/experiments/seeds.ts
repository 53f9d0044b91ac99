/** How lucky a seed is: many seeds of one half network, and what choosing among them by validation buys. */
import { percent } from '../common/output.ts';
import { byData, histogram } from './charts.ts';
import type { Experiment, PlanOptions } from './experiment.ts';
import type { Report } from './sections.ts';
import { type Result, type RunSpec, runSpec } from './spec.ts';
import { figure, summarise } from './summary.ts';
import { accuracyCell, points, summaryTable } from './tables.ts';

const UNITS = 256;

function plan({ quick, runs, data = ['mnist', 'fashion-mnist'] }: PlanOptions): RunSpec[] {
  const rows = quick
    ? { trainRows: 4000, testRows: 1000, validationRows: 500, epochs: 2 }
    : { validationRows: 5000, epochs: 6 };
  const network = `half ${UNITS} normal, dense classes`;
  return Array.from({ length: runs }, (_, seed) =>
    data.map((name) => runSpec({ data: name, network, seed, ...rows })),
  ).flat();
}

/**
 * Mean test accuracy of the seed that is best by `score` among `count` of the runs: over all choices of so many, each as likely.
 * The i-th best is the best of its choice where the others all come behind it.
 */
export function expectedBest<T extends { readonly testAccuracy: number }>(
  runs: readonly T[],
  count: number,
  score: (run: T) => number,
): number {
  const sorted = [...runs].sort((a, b) => score(b) - score(a));
  const n = sorted.length;
  let chance = count / n; // that the best of all is among them
  let sum = 0;
  for (let i = 0; i + count <= n; i++) {
    sum += chance * sorted[i]!.testAccuracy;
    chance *= (n - i - count) / (n - i - 1); // from C(n - 1 - i, count - 1) to C(n - 2 - i, count - 1)
  }
  return sum;
}

/** Correlation of validation and test accuracy. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [figure(a), figure(b)];
  const covariance = a.reduce((sum, value, i) => sum + (value - x.mean) * (b[i]! - y.mean), 0) / (a.length - 1);
  return covariance / (x.deviation * y.deviation);
}

function charts(results: readonly Result[]): Report {
  const groups = byData(results.filter(({ validationAccuracy }) => validationAccuracy !== undefined)).map(
    ([data, runs]) => {
      const validation = (run: Result) => run.validationAccuracy!;
      const test = (run: Result) => run.testAccuracy;
      const best = runs.reduce((a, b) => (validation(b) > validation(a) ? b : a));
      const sizes = [1, 2, 4, 8, 16, 32, 64].filter((size) => size <= runs.length);
      return { data, runs, best, sizes, validation, test, accuracy: figure(runs.map(test)) };
    },
  );
  return {
    findings: groups.map(({ data, runs, best, accuracy, test }) => {
      const [worst, luckiest] = [Math.min(...runs.map(test)), Math.max(...runs.map(test))];
      return (
        `${data}: ${runs.length} seeds of ${runs[0]!.network} have ${accuracyCell(accuracy)}, from ${percent(worst)} to ${percent(luckiest)}. ` +
        `The best by validation (seed ${best.seed}) has ${percent(best.testAccuracy)}: ${points(best.testAccuracy - accuracy.mean)} points ` +
        'against the mean seed.'
      );
    }),
    sections: [
      {
        title: 'Test accuracy of the seeds',
        charts: groups.map(({ data, runs, best, accuracy, test }) =>
          histogram(data, runs.map(test), [
            { label: 'mean', value: accuracy.mean },
            { label: 'best by validation', value: best.testAccuracy },
          ]),
        ),
      },
      ...groups.map(({ data, runs, sizes, validation, test }) => ({
        title: `What a choice buys on ${data}`,
        text:
          'Expected test accuracy of the best among so many seeds, over all choices of them. By validation is what one may do; by test, what nobody ' +
          `may, shows how much there is to gain. Validation and test accuracy correlate by ${correlation(runs.map(validation), runs.map(test)).toFixed(2)}.`,
        table: {
          head: ['seeds', 'best by validation', 'against one seed', 'best by test'],
          rows: sizes.map((size) => {
            const [chosen, one, lucky] = [
              expectedBest(runs, size, validation),
              expectedBest(runs, 1, validation),
              expectedBest(runs, size, test),
            ];
            return [size, percent(chosen), `${points(chosen - one)} points`, percent(lucky)];
          }),
        },
      })),
      { title: 'All seeds', table: summaryTable(summarise(results)) },
    ],
  };
}

export const seeds: Experiment = {
  name: 'seeds',
  title: 'How lucky is a seed',
  question: 'How much does the accuracy depend on the seed, and how many seeds are worth trying?',
  defaultRuns: (quick) => (quick ? 8 : 32),
  plan,
  charts,
};
