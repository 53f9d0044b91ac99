/** `npm run bench -- --tune`: measures every forward kernel and rewrites this adapter's section of the kernel table. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Table from 'cli-table3';
import { Command, Option } from 'commander';
import { root } from '../../scripts/setup.mjs';
import { checkWritable, writeResult } from '../../src/core/files.ts';
import type { Rule } from '../../src/gpu/choose/kernel-table.ts';
import { type AdapterChoice, openBrowser } from '../browser.ts';
import { kernelVariants } from '../engines/weightless.ts';
import { figure } from '../format.ts';
import { openNode } from '../node.ts';
import { positive } from '../options.ts';
import { progress } from '../progress.ts';
import type { Measured } from '../rows.ts';
import type { Target } from '../target.ts';
import type { ForwardTask } from '../tasks/forward.ts';
import { CELL_LAYERS, CELL_ROWS, type Change, cellsOf, retune, rulesOf, sections, type Timed } from './cells.ts';

interface Options {
  browser?: string;
  adapter: AdapterChoice;
  node?: boolean;
  filter?: string;
  runs: number;
  seconds?: number;
  dryRun?: boolean;
}

/** Limits on the time for a kernel's samples of a shape, and on the expected time of a call. */
const LIMITS = { budgetMs: 2_500, callMs: 3_000 };
const TABLE = 'src/gpu/choose/kernel-table.ts';

/** The rows that were timed and verified. */
function timedOf(rows: readonly Measured[]): Timed[] {
  const variants = new Map(kernelVariants(1).map((variant) => [variant.weights, variant]));
  return rows.flatMap(({ weights, m, k, n, samples, verified }): Timed[] => {
    const variant = variants.get(weights);
    if (!variant?.kernel || !verified || !samples?.length || !m || !k || !n) return [];
    return [{ weights: variant.distribution, kernel: variant.kernel, m, k, n, samples }];
  });
}

/** The section of the table for a kind of adapter, as unformatted TypeScript. */
export const section = (kind: keyof typeof sections, where: string, rules: readonly Rule[]): string =>
  `/** Measured on ${where} by \`npm run bench -- --tune\`. */\nexport const ${kind}: Rule[] = ${JSON.stringify(rules)};\n`;

/** The file with its section replaced. Throws if the file has no such section. */
export function replaceSection(file: string, kind: string, made: string): string {
  const found = new RegExp(`/\\*\\*(?:(?!\\*/)[^])*\\*/\\nexport const ${kind}: Rule\\[\\] = [^;]*;\\n`).exec(file);
  if (!found)
    throw new Error(
      `${TABLE}: expected a section 'export const ${kind}: Rule[] = [...];' with its comment, found none`,
    );
  return file.replace(found[0], () => made);
}

/** Milliseconds of each kernel, one line per shape. */
function timesTable(timed: readonly Timed[]): string {
  const table = new Table({ head: ['weights', 'shape', 'minimum ms of each kernel, fastest first'] });
  const shapes = new Map<string, Timed[]>();
  for (const one of timed) {
    const shape = `${one.weights} ${one.m}x${one.k}x${one.n}`;
    shapes.set(shape, [...(shapes.get(shape) ?? []), one]);
  }
  for (const [shape, all] of shapes) {
    const sorted = all
      .map(({ kernel, samples }) => ({ kernel, ms: Math.min(...samples) }))
      .sort((a, b) => a.ms - b.ms)
      .map(({ kernel, ms }) => `${kernel} ${figure(ms)}`);
    table.push([...shape.split(' '), sorted.join(', ')]);
  }
  return table.toString();
}

export const describeChange = ({ weights, m, n, from, to, faster }: Change): string =>
  `${weights}, ${m} rows, ${n} units: ${to} instead of ${from}, ${faster ? `${figure(faster)} times faster` : 'which has no time'}`;

/** The rows of all kernels, and what they would change in the table of this kind of adapter. */
export async function measureKernels(
  target: Target,
  { runs, seconds, filter }: { readonly runs: number; readonly seconds?: number; readonly filter?: string },
) {
  const tasks = CELL_ROWS.flatMap((m) =>
    CELL_LAYERS.map(([k, n]): ForwardTask => ({ kind: 'forward', m, k, n, kernels: true })),
  );
  const bar = progress(tasks.length);
  const rows: Measured[] = [];
  try {
    const session = { runs, ...LIMITS, ...(filter && { filter }) };
    const started = performance.now();
    for (const [i, task] of tasks.entries()) {
      if (seconds && performance.now() - started > 1000 * seconds) break;
      const onProgress = (share: number, label: string) =>
        bar.update(i + share, `${task.m}x${task.k}x${task.n} ${label}`);
      rows.push(...(await target.runTask(task, session, onProgress)));
    }
  } finally {
    bar.stop();
  }
  const environment = await target.environment();
  const kind = environment.software ? 'software' : 'gpu';
  const timed = timedOf(rows);
  return { environment, kind, rows, timed, ...retune(cellsOf(sections[kind]), timed) } as const;
}

/** Returns the exit code. */
export async function tune(argv: readonly string[]): Promise<number> {
  const options = new Command('bench --tune')
    .description(
      `Times every kernel of the forward product with every distribution over rows and layers, interleaved, each verified first, and
rewrites the section of ${TABLE} for the adapter at hand. A kernel takes another's place where it is faster in
three rounds of four and at best; what a filter leaves out stays.`,
    )
    .option('--tune', 'this')
    .option('--browser <path>', 'path of Chrome or Chromium (default: the installed one)')
    .addOption(new Option('--adapter <kind>').choices(['software', 'hardware', 'auto']).default('auto'))
    .option('--node', 'run in Node instead of a browser')
    .option('--filter <text>', 'measure only rows with all these words in weights, kernel or shape (64x784x1024)')
    .option('--runs <n>', 'number of samples per kernel', positive, 7)
    .option('--seconds <n>', 'start no new shape after this time; shapes without measurements stay unchanged', positive)
    .option('--dry-run', 'print the result without writing it')
    .parse(argv, { from: 'user' })
    .opts<Options>();
  const { adapter, browser } = options;
  const path = join(root, TABLE);
  if (!options.dryRun) await checkWritable(path);
  const target = options.node
    ? await openNode()
    : await openBrowser({ adapter, ours: true, ...(browser && { path: browser }) });
  let measured: Awaited<ReturnType<typeof measureKernels>>;
  try {
    measured = await measureKernels(target, options);
  } finally {
    await target.close();
  }
  const { environment, kind, rows, timed, cells, changes } = measured;
  console.log(timesTable(timed));
  for (const { weights, m, k, n, error } of rows) {
    if (error) console.log(`${weights}, ${m}x${k}x${n}: ${error}`);
  }
  console.log(
    changes.length
      ? changes.map(describeChange).join('\n')
      : 'no kernel beats the choice of the table by more than the spread',
  );
  if (changes.length && !options.dryRun) {
    const made = section(kind, `${environment.adapter}`, rulesOf(cells));
    await writeResult(path, replaceSection(readFileSync(path, 'utf8'), kind, made));
    const biome = join(root, 'node_modules/@biomejs/biome/bin/biome');
    execFileSync(process.execPath, [biome, 'format', '--write', path], { stdio: 'ignore' });
    console.log(`wrote the section '${kind}' of ${TABLE}`);
  }
  return rows.some(({ verified }) => verified === false) ? 1 : 0;
}
