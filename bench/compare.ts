/** `npm run bench -- --compare A.json B.json`: what changed between two runs, and whether it exceeds their spread. */
import Table from 'cli-table3';
import { Command } from 'commander';
import { DataError } from '../src/core/errors.ts';
import { readInput } from '../src/core/read-input.ts';
import { bytes, figure } from './format.ts';
import { group, type Row } from './rows.ts';
import { quantile, type Summary } from './statistics.ts';

/** The most bytes of a run's JSON file: a whole run has less than 1 MB. */
const MOST_BYTES = 2 ** 26;

/** A run as `--json` writes it. */
export interface Run {
  readonly environment: Readonly<Record<string, unknown>>;
  readonly rows: readonly Row[];
}

export type Verdict = 'faster' | 'slower' | 'larger' | 'smaller' | 'no difference beyond the spread' | 'the same';

export interface Change {
  readonly name: string;
  readonly before: string;
  readonly after: string;
  /** Above 1: the second run is faster, or smaller. */
  readonly ratio: number;
  /** Between which values the ratio lies if each median may be anywhere between the quartiles of its run. */
  readonly range?: readonly [low: number, high: number];
  readonly verdict: Verdict;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

function isRow(value: unknown): value is Row {
  if (!isObject(value)) return false;
  const { task, engine, weights, ms, samples } = value;
  const texts = [task, engine, weights].every((text) => typeof text === 'string');
  const summary = ms === undefined || (isObject(ms) && [ms.min, ms.median, ms.spread].every(isNumber));
  const times = !Array.isArray(samples) || samples.every(isNumber);
  return texts && summary && times;
}

/** Reads what `--json` wrote. Throws `DataError`. */
export function parseRun(path: string, text: string): Run {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new DataError(`${path}: expected JSON that 'npm run bench -- --json' wrote: ${(error as Error).message}`);
  }
  if (!isObject(parsed) || !isObject(parsed.environment) || !Array.isArray(parsed.rows)) {
    throw new DataError(
      `${path}: expected an object with 'environment' and 'rows', as 'npm run bench -- --json' writes it`,
    );
  }
  const wrong = parsed.rows.findIndex((row) => !isRow(row));
  if (wrong < 0) return { environment: parsed.environment, rows: parsed.rows };
  throw new DataError(`${path}: row ${wrong + 1}: expected task, engine, weights and times in milliseconds`);
}

/** The quartiles. Files of earlier versions hold a summary in place of the samples. */
function quartiles({ samples }: Row, { median, spread }: Summary): readonly [number, number] {
  if (!samples?.length) return [median * (1 - spread / 2), median * (1 + spread / 2)];
  const sorted = [...samples].sort((a, b) => a - b);
  return [quantile(sorted, 0.25), quantile(sorted, 0.75)];
}

const nameOf = (row: Row) => `${group(row)} ${row.engine} ${row.weights}`;

function changeOf(a: Row, b: Row): Change[] {
  const changes: Change[] = [];
  if (a.ms && b.ms && a.verified !== false && b.verified !== false) {
    const [[a1, a3], [b1, b3]] = [quartiles(a, a.ms), quartiles(b, b.ms)];
    const range = [a1 / b3, a3 / b1] as const;
    changes.push({
      name: nameOf(a),
      before: `${figure(a.ms.median)} ms`,
      after: `${figure(b.ms.median)} ms`,
      ratio: a.ms.median / b.ms.median,
      range,
      verdict: range[0] > 1 ? 'faster' : range[1] < 1 ? 'slower' : 'no difference beyond the spread',
    });
  }
  const unit = a.unit ?? '';
  if (isNumber(a.value) && isNumber(b.value) && unit === b.unit && unit.startsWith('bytes')) {
    const [before, after] = [a.value, b.value];
    changes.push({
      name: `${nameOf(a)}, ${unit}`,
      before: bytes(before),
      after: bytes(after),
      ratio: before === after ? 1 : before / after,
      verdict: before === after ? 'the same' : before < after ? 'larger' : 'smaller',
    });
  }
  return changes;
}

/** The changes of the rows that both runs have, the greatest first, and the names of those that only one has. */
export function changes(a: Run, b: Run): { changed: Change[]; onlyA: string[]; onlyB: string[] } {
  const [inA, inB] = [a, b].map(({ rows }) => new Map(rows.map((row) => [nameOf(row), row]))) as [
    Map<string, Row>,
    Map<string, Row>,
  ];
  const changed = [...inA].flatMap(([name, row]) => (inB.has(name) ? changeOf(row, inB.get(name)!) : []));
  const size = ({ ratio }: Change) => Math.abs(Math.log(ratio));
  return {
    changed: changed.sort((x, y) => size(y) - size(x)),
    onlyA: [...inA.keys()].filter((name) => !inB.has(name)),
    onlyB: [...inB.keys()].filter((name) => !inA.has(name)),
  };
}

/** What must agree for times to be compared. */
const CONDITIONS = ['adapter', 'browser', 'node', 'processor', 'cores'];

/** The conditions that differ, a line each. */
export const differences = (a: Run, b: Run): string[] =>
  CONDITIONS.filter((name) => JSON.stringify(a.environment[name]) !== JSON.stringify(b.environment[name])).map(
    (name) => `${name}: ${a.environment[name] ?? 'not recorded'}; ${b.environment[name] ?? 'not recorded'}`,
  );

export function comparison(a: Run, b: Run): string {
  const { changed, onlyA, onlyB } = changes(a, b);
  const table = new Table({
    head: ['', 'first', 'second', 'first / second', 'between', 'the second is'],
    style: { head: [], border: [], compact: true },
  });
  for (const { name, before, after, ratio, range, verdict } of changed) {
    table.push([name, before, after, figure(ratio), range ? range.map(figure).join(' and ') : '', verdict]);
  }
  const verdicts = [...new Set(changed.map(({ verdict }) => verdict))];
  const counts = verdicts.map((one) => `${changed.filter(({ verdict }) => verdict === one).length} ${one}`);
  const only = (which: string, names: string[]) =>
    names.length ? [`only in the ${which} run: ${names.join('; ')}`] : [];
  return [
    ...differences(a, b).map((line) => `different conditions: ${line}`),
    table.toString(),
    `in both runs: ${counts.join(', ') || 'no row'}`,
    ...only('first', onlyA),
    ...only('second', onlyB),
  ].join('\n');
}

/** Returns the exit code. Throws `DataError`. */
export async function compareRuns(argv: readonly string[]): Promise<number> {
  const { compare } = new Command('bench --compare')
    .description(
      'Compares two runs that --json wrote, row by row: ratios of medians, and a verdict where the quartiles of the ' +
        'samples do not overlap. Ratios within one run are steadier than those of two.',
    )
    .requiredOption('--compare <files...>', 'the first and the second run')
    .parse(argv, { from: 'user' })
    .opts<{ compare: string[] }>();
  if (compare.length !== 2) {
    throw new DataError(`--compare: expected two files, got ${compare.length}. Write them with --json FILE.`);
  }
  const read = async (path: string) => parseRun(path, new TextDecoder().decode(await readInput(path, MOST_BYTES)));
  const [a, b] = await Promise.all([read(compare[0]!), read(compare[1]!)]);
  console.log(comparison(a, b));
  return 0;
}
