/**
 * `npm run bench -- --isa`: compiles our kernels and the peers' with a real GPU compiler, without a GPU (docs/isa.md).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { root } from '../../scripts/setup.mjs';
import { checkWritable, makeFolderOf, writeResult } from '../../src/core/files.ts';
import { progress } from '../progress.ts';
import type { ForwardTask } from '../tasks/forward.ts';
import { capturePeers } from './capture.ts';
import { choices } from './choices.ts';
import { type Compiled, type GpuCompiler, NoGpuCompilerError, openCompiler } from './compiler.ts';
import { kernels } from './kernels.ts';
import { differences, type IsaTable, nameOf, serialize, tables } from './report.ts';
import { roofline } from './roofline.ts';
import { compileRows, type IsaRow, type Job, ourJob, peerJobs } from './rows.ts';

interface Options {
  json?: string;
  filter?: string;
  gpu: string;
  browser?: string;
  ours?: boolean;
  asm?: string;
  check?: boolean;
  golden?: boolean;
}

/** RDNA2 (RX 6800) and RDNA3 (RX 7900). */
const GPUS = 'NAVI21,GFX1100';
const GOLDEN = join(root, 'test/golden/isa.json');
/** Exit code if the compiler does not exist on this system or differs from the one of the table. */
const NOT_HERE = 3;
/** Layers for which peers choose different kernels. */
const LAYERS: readonly ForwardTask[] = [
  { kind: 'forward', m: 1, k: 784, n: 1024 },
  { kind: 'forward', m: 64, k: 784, n: 1024 },
  { kind: 'forward', m: 256, k: 1024, n: 1024 },
  { kind: 'forward', m: 1, k: 4096, n: 4096 },
];

const matches = (filter: string | undefined, job: Job, gpu: string) => {
  const text = `${gpu} ${job.engine} ${nameOf({ ...job, gpu, error: '' })}`.toLowerCase();
  return (filter ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
};

/** A GPU and its compilers: without the checks of a browser, and with them. */
interface Chip {
  readonly name: string;
  readonly plain: GpuCompiler;
  readonly checked: GpuCompiler;
}

async function openChips(names: readonly string[]): Promise<Chip[]> {
  const opening = names.flatMap((name) => [openCompiler(name, false), openCompiler(name, true)]);
  const opened = await Promise.allSettled(opening);
  const compilers = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = opened.find((one) => one.status === 'rejected');
  if (!failed) return names.map((name, i) => ({ name, plain: compilers[2 * i]!, checked: compilers[2 * i + 1]! }));
  for (const compiler of compilers) compiler.close();
  throw failed.reason;
}

/** Compiles all jobs for all GPUs, the GPUs in parallel. */
async function compileAll(jobs: readonly Job[], chips: readonly Chip[], { filter, asm }: Options): Promise<IsaTable> {
  const work = chips.map((chip) => ({ chip, jobs: jobs.filter((job) => matches(filter, job, chip.name)) }));
  const bar = progress(Math.max(1, work.flatMap(({ jobs }) => jobs).length));
  let done = 0;
  const listings: [file: string, assembly: string][] = [];
  const onRow = (row: IsaRow, compiled?: Compiled) => {
    bar.update(++done, `${row.gpu} ${row.engine} ${row.kernel}`);
    if (!asm || !compiled) return;
    const name = `${row.gpu} ${row.engine} ${nameOf(row)}`.replace(/[^\w=]+/g, '-');
    listings.push([join(asm, `${name}.s`), compiled.assembly]);
  };
  try {
    const rows = await Promise.all(work.map(({ chip, jobs }) => compileRows(jobs, chip.name, chip, onRow)));
    for (const [file, assembly] of listings) await writeResult(file, assembly);
    return { compiler: chips[0]!.plain.version, rows: rows.flat() };
  } finally {
    bar.stop();
  }
}

/** Only the figures, so that a change of wording does not change the table. */
const bare = ({ compiler, rows }: IsaTable): IsaTable => ({
  compiler,
  rows: rows.map((row) => ('why' in row ? (({ why: _, ...rest }) => rest)(row) : row)),
});

/** Compares `now` with the committed table. Returns the exit code. */
function check(now: IsaTable): number {
  const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as IsaTable;
  const broken = now.rows.filter((row): row is IsaRow & { error: string } => 'error' in row);
  for (const row of broken) console.error(`isa: ${row.gpu} ${nameOf(row)}: ${row.error}`);
  if (broken.length) return 1;
  if (now.compiler !== golden.compiler) {
    console.error(
      `isa: NOT COMPARED: the table comes from ${golden.compiler} (Debian 12), but this is ${now.compiler}, which ` +
        `generates other code. All ${now.rows.length} kernels compile.`,
    );
    return NOT_HERE;
  }
  const found = differences(golden, now);
  for (const line of found) console.error(`isa: ${line}`);
  console.log(`isa: ${now.rows.length} rows of ${now.compiler}, ${found.length} differences from test/golden/isa.json`);
  if (found.length)
    console.error('isa: if this change is intended, rewrite the table with `npm run bench -- --isa --golden`');
  return found.length ? 1 : 0;
}

/** Returns the exit code. */
export async function isa(argv: readonly string[]): Promise<number> {
  const options = new Command('bench --isa')
    .description(
      "Machine code of our kernels and the peers' for AMD GPUs that need not be there: registers, spills, cycles",
    )
    .option('--isa', 'this')
    .option('--gpu <names>', "chips by Mesa's names, separated by commas", GPUS)
    .option('--filter <text>', 'only rows with all these words in GPU, engine, kernel, weights, constants or shapes')
    .option('--json <file>', 'write the rows to this file')
    .option('--asm <folder>', 'write the assembly to this folder')
    .option('--ours', 'compile only our kernels: no browser, no peers')
    .option('--browser <path>', 'Chrome or Chromium that runs the peers (default: the installed one)')
    .option('--check', 'compare our kernels with the committed table, test/golden/isa.json')
    .option('--golden', 'write that table')
    .parse(argv, { from: 'user' })
    .opts<Options>();
  const table = options.check || options.golden;
  if (table && (options.filter || options.gpu !== GPUS)) {
    console.error(
      'bench: expected --check or --golden without --filter and --gpu, because they work on the whole table',
    );
    return 2;
  }
  const { json, asm } = options;
  if (asm !== undefined) await makeFolderOf(join(asm, 'listing.s'));
  for (const path of [json, asm && join(asm, 'listing.s'), options.golden && GOLDEN]) {
    if (path !== undefined && path !== false) await checkWritable(path);
  }
  let chips: Chip[] = [];
  try {
    chips = await openChips(options.gpu.split(','));
    const peers =
      table || options.ours
        ? []
        : await capturePeers(LAYERS, { adapter: 'software', ...(options.browser && { path: options.browser }) });
    const made = await compileAll([...peerJobs(peers), ...(await Promise.all(kernels.map(ourJob)))], chips, options);
    if (json !== undefined) await writeResult(json, serialize(made));
    if (options.check) return check(bare(made));
    if (options.golden) await writeResult(GOLDEN, serialize(bare(made)));
    const chip = options.gpu.split(',')[0]!;
    // A peer's kernels without MACs, such as a separate ReLU, are not products.
    const shown = made.rows.filter((row) => 'error' in row || row.turn || row.engine === 'weightless');
    console.log(
      `${tables(shown)}\n${choices(made.rows, chip)}\n${roofline(made.rows, chip)}\n\ncompiler: ${made.compiler} (RADV), WGSL by Dawn; docs/isa.md says how to read this`,
    );
    return made.rows.some((row) => 'error' in row) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof NoGpuCompilerError)) throw error;
    console.error(`bench: ${error.message}`);
    return error.available ? 1 : NOT_HERE;
  } finally {
    for (const { plain, checked } of chips) for (const compiler of [plain, checked]) compiler.close();
  }
}
