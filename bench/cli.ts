/** `npm run bench`: which tasks run where, and what is written. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { root } from '../scripts/setup.mjs';
import { type AdapterChoice, openBrowser } from './browser.ts';
import type { Task } from './engines/engine.ts';
import { figure } from './format.ts';
import { html } from './html.ts';
import { isa } from './isa/main.ts';
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
  adapter: AdapterChoice;
  node?: boolean;
  filter?: string;
  quick?: boolean;
  runs?: number;
  json?: string;
  report?: string;
}

/** Seconds that a call may be expected to take, and that one engine's samples of a task may take. */
const LIMITS = { quick: { callMs: 5_000, budgetMs: 1_500 }, full: { callMs: 20_000, budgetMs: 8_000 } };

/** Chart.js, to be put into the report; the report goes without charts where the peers are not installed. */
function chartScript(): string | undefined {
  const path = join(root, 'bench/node_modules/chart.js/dist/chart.umd.js');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes('--tune')) return tune(argv);
  if (argv.includes('--isa')) return isa(argv);
  const options = new Command('bench')
    .description(
      'Our layers beside stored-weight engines and kernels, in one interleaved run, each result verified first',
    )
    .option('--browser <path>', 'Chrome or Chromium; else the installed one')
    .addOption(new Option('--adapter <kind>').choices(['software', 'hardware', 'auto']).default('auto'))
    .option('--node', 'our own engines in Node, no browser, no peers')
    .option(
      '--filter <text>',
      'only what has all these words in its task, engine, weights or shape (64x784x1024); a|b: one of the two',
    )
    .option('--quick', 'a few shapes, few samples: under three minutes on two cores')
    .option('--runs <n>', 'samples of each engine', positive)
    .option('--json <file>', 'write environment and rows there')
    .option('--report <file>', 'write a page with charts there')
    .option('--tune', 'measure our kernels alone and rewrite the table that chooses them; `--tune --help` says more')
    .option('--isa', 'no run: registers and cycles of the machine code for AMD GPUs; `--isa --help` says more')
    .parse(argv, { from: 'user' })
    .opts<Options>();
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
    ? await openNode()
    : await openBrowser({ adapter: options.adapter, ...(options.browser && { path: options.browser }) });
  const measured: Measured[] = [];
  // Without a filter, a quick run leaves the small measurements and memory out, but for the ceilings.
  const lean = quick && !options.filter;
  // The network of the training step, and the largest layer: what stored weights cost shows there.
  const memoryTasks = lean ? [] : [...trained, ...(quick ? [] : forwardTasks(false).slice(-2, -1))];
  const bar = progress(tasks.length + memoryTasks.length + 1);
  const environment: Record<string, unknown> = {
    ...(await target.environment()),
    processor: cpus()[0]?.model,
    system: `${process.platform} ${process.arch}`,
  };
  let ceilings: Ceilings;
  const started = performance.now();
  /** After each task: a run that is stopped leaves what it has measured. */
  const keep = () => {
    const rows = buildRows(measured, ceilings);
    const seconds = Math.round((performance.now() - started) / 1000);
    const made = { environment: { ...environment, ceilings, seconds }, rows, findings: findings(rows) };
    if (options.json) writeFileSync(options.json, `${JSON.stringify(made, null, 1)}\n`);
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
      keep();
    }
    for (const [i, task] of memoryTasks.entries()) {
      bar.update(tasks.length + i, 'memory');
      measured.push(...(await target.runMemory(task, options.filter)));
    }
    const hear = (share: number, label: string) =>
      bar.update(tasks.length + memoryTasks.length + share, `first prediction ${label}`);
    // Megabytes over a slow network take more minutes than a quick run has.
    const first = lean ? FIRST_LOCAL : options.filter;
    measured.push(...(await target.runFirst(quick ? 1 : 5, first, hear)));
  } finally {
    bar.stop();
    await target.close();
  }
  const whole = keep();
  const { rows, findings: found } = whole;
  console.log(tables(rows));
  if (found.length) console.log(`\n${found.join('\n')}`);
  console.log(`\n${overview(rows)}`);
  const { gbps, gmacs } = ceilings;
  const reached = `copies at ${figure(gbps)} GB/s, independent FMAs at ${figure(gmacs)} GMAC/s`;
  console.log(`\nadapter: ${environment.adapter}; its ceilings: ${reached}`);
  if (options.report) writeFileSync(options.report, html(whole, chartScript()));
  const wrong = rows.filter(({ verified }) => verified === false);
  for (const row of wrong)
    console.error(`bench: WRONG RESULT: ${row.engine} ${row.weights}, ${group(row)}: ${row.error}`);
  return wrong.length ? 1 : 0;
}
