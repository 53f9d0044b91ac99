/** Tables of reports: means with standard deviations. */
import { bytes, count, percent, seconds } from '../common/output.ts';
import type { Table } from './sections.ts';
import type { Figure, Summary } from './summary.ts';

/** 97.39% ± 0.11%; of one run 97.39%. */
export const accuracyCell = ({ mean, deviation, runs }: Figure): string =>
  runs > 1 ? `${percent(mean)} ± ${percent(deviation)}` : percent(mean);

/** Share in points of a percent: +0.12. */
export const points = (difference: number): string => `${difference < 0 ? '' : '+'}${(100 * difference).toFixed(2)}`;

/** What is known of each series. */
export function summaryTable(summary: readonly Summary[]): Table {
  return {
    head: ['data', 'network', 'runs', 'test accuracy', 'trained', 'model file', 'predict', 'training', 'peak memory'],
    rows: summary.map((row) => [
      row.data,
      row.network,
      row.runs,
      accuracyCell(row.testAccuracy),
      count(row.trainedParameters),
      bytes(row.modelBytes),
      `${row.predictMs.mean.toFixed(2)} ms`,
      `${seconds(row.trainSeconds.mean)} ± ${row.trainSeconds.deviation.toFixed(1)}`,
      bytes(row.peakRssBytes),
    ]),
  };
}
