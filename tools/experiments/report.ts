/** The report of an experiment, as one HTML file. */
import { makeFolderOf, writeResult } from '../../src/core/files.ts';
import { VERSION } from '../../src/core/version.ts';
import type { Experiment } from './experiment.ts';
import { drawing, pageHtml } from './page.ts';
import type { Result } from './spec.ts';

const range = (values: readonly string[]): string => {
  const sorted = [...values].sort();
  return sorted[0] === sorted.at(-1) ? sorted[0]! : `${sorted[0]} to ${sorted.at(-1)}`;
};
/** 0 to 31; 0, 2, 5. */
const span = (values: readonly number[]): string => {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const whole = sorted.length > 2 && sorted.at(-1)! - sorted[0]! === sorted.length - 1;
  return whole ? `${sorted[0]} to ${sorted.at(-1)}` : sorted.join(', ');
};
const each = (values: readonly string[]): string => [...new Set(values)].join(', ');

/** What made the numbers. */
function origin(results: readonly Result[], command: string, vegaLite: string): [name: string, value: string][] {
  return [
    ['command', command],
    ['runs', `${results.length}, seeds ${span(results.map(({ seed }) => seed))}`],
    ['adapter', each(results.map(({ adapter }) => adapter))],
    ['weightless', each(results.map(({ version }) => version))],
    ['made', range(results.map(({ date }) => date.slice(0, 16).replace('T', ' ')))],
    ['report', `weightless ${VERSION}, Node ${process.versions.node}, vega-lite ${vegaLite}`],
  ];
}

export async function reportHtml(experiment: Experiment, results: readonly Result[], command: string): Promise<string> {
  const draw = await drawing();
  const { findings, sections } = experiment.charts(results);
  const page = {
    ...{ title: experiment.title, lead: experiment.question, findings, sections },
    facts: origin(results, command, draw.version),
    footer:
      'Means are over the runs of a network, which differ in their seed alone; ± is one standard deviation of the sample. Prediction: median ' +
      'wall-clock time of one row, other runs may have been at work beside it. Training: wall clock, frozen prefix and looks at held-out rows included. ' +
      'Peak memory: largest resident set of the process, data set and frozen prefix included.',
  };
  return pageHtml(page, draw);
}

/** Throws `ExperimentError` where the charts can't be drawn. */
export async function writeReport(
  path: string,
  experiment: Experiment,
  results: readonly Result[],
  command: string,
): Promise<void> {
  await makeFolderOf(path);
  await writeResult(path, await reportHtml(experiment, results, command));
}
