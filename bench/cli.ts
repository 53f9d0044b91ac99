/** `npm run bench`: which tasks run where, and what is written. */
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { Command, Option } from 'commander';
import { type AdapterChoice, openBrowser } from './browser.ts';
import type { Task } from './engines/engine.ts';
import { openNode } from './node.ts';
import { progress } from './progress.ts';
import { tables } from './report.ts';
import { buildRows, type Ceilings, type Measured } from './rows.ts';
import { taskName } from './session.ts';
import { forwardTasks } from './tasks/forward.ts';
import { trainingTasks } from './tasks/training.ts';

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

const positive = (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new RangeError(`expected a whole number of 1 or more, got '${text}'`);
  return value;
};

/** Seconds that a call may be expected to take, and that one engine's samples of a task may take. */
const LIMITS = { quick: { callMs: 5_000, budgetMs: 2_000 }, full: { callMs: 20_000, budgetMs: 8_000 } };

/** Returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const options = new Command('bench')
    .description(
      'Our layers beside stored-weight engines and kernels, in one interleaved run, each result verified first',
    )
    .option('--browser <path>', 'Chrome or Chromium; else the installed one')
    .addOption(new Option('--adapter <kind>').choices(['software', 'hardware', 'auto']).default('auto'))
    .option('--node', 'our own engines in Node, no browser, no peers')
    .option('--filter <text>', 'only what has all these words in its task, engine, weights or shape (64x784x1024)')
    .option('--quick', 'a few shapes, few samples: under three minutes on two cores')
    .option('--runs <n>', 'samples of each engine', positive)
    .option('--json <file>', 'write environment and rows there')
    .option('--isa', 'cycles of our kernels as a GPU compiler makes them; runs nothing')
    .parse(argv, { from: 'user' })
    .opts<Options>();
  const quick = options.quick ?? false;
  const limits = LIMITS[quick ? 'quick' : 'full'];
  const session = {
    runs: options.runs ?? (quick ? 5 : 12),
    ...limits,
    ...(options.filter && { filter: options.filter }),
  };
  const tasks: Task[] = [...forwardTasks(quick), ...trainingTasks()];
  const target = options.node
    ? await openNode()
    : await openBrowser({ adapter: options.adapter, ...(options.browser && { path: options.browser }) });
  const measured: Measured[] = [];
  const bar = progress(tasks.length);
  const environment = {
    ...(await target.environment()),
    processor: cpus()[0]?.model,
    system: `${process.platform} ${process.arch}`,
  };
  let ceilings: Ceilings | undefined;
  try {
    bar.update(0, 'ceilings of the adapter');
    const micro = await target.runMicro(session.runs, options.filter);
    ceilings = micro.ceilings;
    measured.push(...micro.rows);
    for (const [i, task] of tasks.entries()) {
      const name = taskName(task);
      measured.push(
        ...(await target.runTask(task, session, (share, label) => bar.update(i + share, `${name} ${label}`))),
      );
    }
  } finally {
    bar.stop();
    await target.close();
  }
  const rows = buildRows(measured, ceilings);
  console.log(tables(rows));
  console.log(`\nadapter: ${(environment as { adapter?: string }).adapter}`);
  if (options.json)
    writeFileSync(options.json, `${JSON.stringify({ environment: { ...environment, ceilings }, rows }, null, 1)}\n`);
  return rows.some(({ verified }) => verified === false) ? 1 : 0;
}
