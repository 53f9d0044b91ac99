/**
 * `npm run bench -- --gpu-report FOLDER`: all that a machine with a GPU should tell, in one go: whether it conforms, how
 * fast it is beside the peers, and which kernels its table should choose.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { WriteError } from '../src/core/errors.ts';
import { checkWritable, writeResult } from '../src/core/files.ts';
import { type AdapterChoice, openBrowser } from './browser.ts';
import { html } from './html.ts';
import { openNode } from './node.ts';
import { overview } from './overview.ts';
import { group } from './rows.ts';
import { chartScript } from './script.ts';
import type { Target } from './target.ts';
import { describeChange, measureKernels } from './tune/main.ts';
import { wholeRun } from './whole-run.ts';

interface Options {
  gpuReport: string;
  adapter: AdapterChoice;
  browser?: string;
  node?: boolean;
  quick?: boolean;
}

/** Tuning starts no new shape after this time. */
const TUNING_SECONDS = 240;

/** Returns the exit code: 1 where the device does not conform or a result is wrong. */
export async function gpuReport(argv: readonly string[]): Promise<number> {
  const options = new Command('bench --gpu-report')
    .description(
      'Checks conformance, compares all engines and times our kernels on this adapter. Writes report.json and ' +
        `report.html to a folder. Timing of our kernels starts no new shape after ${TUNING_SECONDS / 60} minutes.`,
    )
    .requiredOption('--gpu-report <folder>', 'where the report goes')
    .option('--browser <path>', 'path of Chrome or Chromium (default: the installed one)')
    .addOption(new Option('--adapter <kind>').choices(['software', 'hardware', 'auto']).default('auto'))
    .option('--node', 'in Node instead of a browser')
    .option('--quick', 'fewer shapes and samples')
    .parse(argv, { from: 'user' })
    .opts<Options>();
  const folder = options.gpuReport;
  await mkdir(folder, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new WriteError(`${folder}: expected a folder, or a place for one: ${error.code}`);
  });
  const [json, page] = [join(folder, 'report.json'), join(folder, 'report.html')];
  for (const path of [json, page]) await checkWritable(path);
  const { adapter, browser } = options;
  const target = options.node
    ? await openNode({ peers: true })
    : await openBrowser({ adapter, ...(browser && { path: browser }) });
  try {
    return await writeReport(target, { json, page, quick: options.quick ?? false });
  } finally {
    await target.close();
  }
}

/** Measures and writes. Tuning comes last, and what was found before is on disk by then. Returns the exit code. */
export async function writeReport(
  target: Target,
  { json, page, quick }: { readonly json: string; readonly page: string; readonly quick: boolean },
): Promise<number> {
  console.error('bench: conformance');
  const conformance = await target.runConformance();
  const { environment, rows, findings } = await wholeRun(target, { quick });
  const verdict = conformance.passed
    ? `the device conforms: ${conformance.findings.reduce((sum, { cases }) => sum + cases, 0)} cases, weights and ` +
      `integer sums ${conformance.digest?.slice(0, 16)}`
    : 'the device DOES NOT CONFORM';
  const wrongCases = conformance.findings.flatMap(({ name, wrong }) => wrong.map((line) => `${name}: ${line}`));
  const said = [verdict, ...wrongCases, ...findings];
  const write = async (tuning: object, lines: readonly string[]) => {
    const whole = { environment, conformance, rows, findings: lines, tuning };
    await writeResult(json, `${JSON.stringify(whole, null, 1)}\n`);
    await writeResult(page, html({ environment, rows, findings: lines }, chartScript()));
  };
  await write({}, said);
  console.log(`${said.join('\n')}\n\n${overview(rows)}\n\nadapter: ${environment.adapter}`);
  console.error('bench: kernels');
  const tuning = await measureKernels(target, { runs: quick ? 2 : 7, seconds: quick ? 20 : TUNING_SECONDS });
  const changes = tuning.changes.map((change) => `the table should choose ${describeChange(change)}`);
  await write(tuning, [...said, ...changes]);
  console.log(`${changes.join('\n') || 'the table chooses the fastest kernels'}\n${json}\n${page}`);
  const wrong = rows.filter(({ verified }) => verified === false);
  for (const row of wrong)
    console.error(`bench: WRONG RESULT: ${row.engine} ${row.weights}, ${group(row)}: ${row.error}`);
  return wrong.length || !conformance.passed ? 1 : 0;
}
