/** `npm run bench`: selects the tasks, runs them and writes the results. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { root } from '../scripts/setup.mjs';
import { WeightlessError } from '../src/core/errors.ts';
import { checkWritable, writeResult } from '../src/core/files.ts';
import { type AdapterChoice, openBrowser } from './browser.ts';
import { compareRuns } from './compare.ts';
import type { Task } from './engines/engine.ts';
import { runEnvironment } from './environment.ts';
import { figure } from './format.ts';
import { html } from './html.ts';
import { isa } from './isa/main.ts';
import { kernelBench } from './kernel/main.ts';
import { openNode } from './node.ts';
import { positive } from './options.ts';
import { overview } from './overview.ts';
import { progress } from './progress.ts';
import { tables } from './report.ts';
import { buildRows, type Ceilings, findings, group, type Measured } from './rows.ts';
import { taskName } from './session.ts';
import { FIRST_LOCAL } from './tasks/first-prediction.ts';
import { forwardTasks } from './tasks/forward.ts';
import { trainingTasks } from './tasks/training.ts';
import { tune } from './tune/main.ts';

interface Options {
  browser?: string;
  headed?: boolean;
  adapter: AdapterChoice;
  node?: boolean;
  filter?: string;
  quick?: boolean;
  runs?: number;
  json?: string;
  report?: string;
}

/** Limits on the expected time of a call, and on the time for all samples of one engine in a task. */
const LIMITS = { quick: { callMs: 5_000, budgetMs: 1_500 }, full: { callMs: 20_000, budgetMs: 8_000 } };

/** The code of Chart.js for the report. Without the peers installed, the report has no charts. */
function chartScript(): string | undefined {
  const path = join(root, 'bench/node_modules/chart.js/dist/chart.umd.js');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Returns the exit code. A named error explains itself and takes one line. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    if (argv.includes('--tune')) return await tune(argv);
    if (argv.includes('--isa')) return await isa(argv);
    if (argv.includes('--compare')) return await compareRuns(argv);
    if (argv.includes('--kernel')) return await kernelBench(argv);
    return await run(argv);
  } catch (error) {
    if (!(error instanceof WeightlessError)) throw error;
    console.error(`bench: ${error.name}: ${error.message}`);
    return 1;
  }
}

/** Returns the exit code. */
async function run(argv: readonly string[]): Promise<number> {
  const options = new Command('bench')
    .description(
      'Compares our layers with stored-weight engines and kernels, in one interleaved run. Every result is verified first.',
    )
    .option('--browser <path>', 'path of Chrome or Chromium (default: the installed one)')
    .addOption(new Option('--adapter <kind>').choices(['software', 'hardware', 'auto']).default('auto'))
    .option('--node', 'run in Node instead of a browser: our own engines, TensorFlow.js and jax-js')
    .option(
      '--filter <text>',
      'run only rows with all these words in task, engine, weights or shape (64x784x1024); a|b matches either word',
    )
    .option('--quick', 'fewer shapes and samples: under three minutes on two cores')
    .option('--runs <n>', 'number of samples per engine', positive)
    .option('--json <file>', 'write the environment and the rows to this file')
    .option('--report <file>', 'write a page with charts to this file')
    .option('--headed', 'show the window of the browser')
    .option('--compare <files...>', 'compare two files that --json wrote (see --compare --help)')
    .option('--kernel <files...>', 'time compute shaders of your own (see --kernel --help)')
    .option('--tune', 'measure our kernels and rewrite the table that chooses among them (see --tune --help)')
    .option('--isa', 'report registers and cycles of the machine code for AMD GPUs (see --isa --help)')
    .parse(argv, { from: 'user' })
    .opts<Options>();
  for (const path of [options.json, options.report]) if (path !== undefined) await checkWritable(path);
  const quick = options.quick ?? false;
  const limits = LIMITS[quick ? 'quick' : 'full'];
  const session = {
    runs: options.runs ?? (quick ? 4 : 12),
    ...limits,
    ...(options.filter && { filter: options.filter }),
  };
  const trained = trainingTasks().slice(0, quick ? 1 : 2);
  const tasks: Task[] = [...forwardTasks(quick), ...trained];
  const target = options.node
    ? await openNode({ peers: true })
    : await openBrowser({
        adapter: options.adapter,
        headed: options.headed ?? false,
        ...(options.browser && { path: options.browser }),
      });
  const measured: Measured[] = [];
  // Without a filter, a quick run skips the micro benchmarks (except the ceilings) and memory.
  const lean = quick && !options.filter;
  // The network of the training step and the largest layer: they show the cost of stored weights.
  const memoryTasks = lean ? [] : [...trained, ...(quick ? [] : forwardTasks(false).slice(-2, -1))];
  const bar = progress(tasks.length + memoryTasks.length + 1);
  const environment: Record<string, unknown> = { ...runEnvironment(), ...(await target.environment()) };
  let ceilings: Ceilings;
  const started = performance.now();
  /** Called after each task, so that an interrupted run leaves its measurements. */
  const writeRows = async () => {
    const rows = buildRows(measured, ceilings);
    const seconds = Math.round((performance.now() - started) / 1000);
    const made = { environment: { ...environment, ceilings, seconds }, rows, findings: findings(rows) };
    if (options.json !== undefined) await writeResult(options.json, `${JSON.stringify(made, null, 1)}\n`);
    return made;
  };
  try {
    bar.update(0, 'ceilings of the adapter');
    const micro = await target.runMicro({
      runs: session.runs,
      quick,
      ceilingsOnly: lean,
      ...(options.filter && { filter: options.filter }),
    });
    ceilings = micro.ceilings;
    measured.push(...micro.rows);
    for (const [i, task] of tasks.entries()) {
      const name = taskName(task);
      measured.push(
        ...(await target.runTask(task, session, (share, label) => bar.update(i + share, `${name} ${label}`))),
      );
      await writeRows();
    }
    for (const [i, task] of memoryTasks.entries()) {
      bar.update(tasks.length + i, 'memory');
      measured.push(...(await target.runMemory(task, options.filter)));
    }
    const onProgress = (share: number, label: string) =>
      bar.update(tasks.length + memoryTasks.length + share, `first prediction ${label}`);
    // Megabytes over a slow network take too long for a quick run.
    const first = lean ? FIRST_LOCAL : options.filter;
    measured.push(...(await target.runFirst(quick ? 1 : 5, first, onProgress)));
  } finally {
    bar.stop();
    await target.close();
  }
  const whole = await writeRows();
  const { rows, findings: found } = whole;
  console.log(tables(rows));
  if (found.length) console.log(`\n${found.join('\n')}`);
  console.log(`\n${overview(rows)}`);
  const { gbps, gmacs } = ceilings;
  const reached = `copies at ${figure(gbps)} GB/s, independent FMAs at ${figure(gmacs)} GMAC/s`;
  console.log(`\nadapter: ${environment.adapter}; its ceilings: ${reached}`);
  if (options.report !== undefined) await writeResult(options.report, html(whole, chartScript()));
  const wrong = rows.filter(({ verified }) => verified === false);
  for (const row of wrong)
    console.error(`bench: WRONG RESULT: ${row.engine} ${row.weights}, ${group(row)}: ${row.error}`);
  return wrong.length ? 1 : 0;
}
