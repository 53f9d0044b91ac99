/** `npm run bench`: selects the tasks, runs them and writes the results. */
import { Command, Option } from 'commander';
import { WeightlessError } from '../src/core/errors.ts';
import { checkWritable, writeResult } from '../src/core/files.ts';
import { type AdapterChoice, openBrowser } from './browser.ts';
import { compareRuns } from './compare.ts';
import { figure } from './format.ts';
import { gpuReport } from './gpu-report.ts';
import { html } from './html.ts';
import { isa } from './isa/main.ts';
import { kernelBench } from './kernel/main.ts';
import { openNode } from './node.ts';
import { positive } from './options.ts';
import { overview } from './overview.ts';
import { tables } from './report.ts';
import { group } from './rows.ts';
import { chartScript } from './script.ts';
import { tune } from './tune/main.ts';
import { type WholeRun, wholeRun } from './whole-run.ts';

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

/** Returns the exit code. A named error explains itself and takes one line. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    if (argv.includes('--tune')) return await tune(argv);
    if (argv.includes('--isa')) return await isa(argv);
    if (argv.includes('--compare')) return await compareRuns(argv);
    if (argv.includes('--gpu-report')) return await gpuReport(argv);
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
    .option('--gpu-report <folder>', 'all that a machine with a GPU should tell (see --gpu-report --help)')
    .option('--compare <files...>', 'compare two files that --json wrote (see --compare --help)')
    .option('--kernel <files...>', 'time compute shaders of your own (see --kernel --help)')
    .option('--tune', 'measure our kernels and rewrite the table that chooses among them (see --tune --help)')
    .option('--isa', 'report registers and cycles of the machine code for AMD GPUs (see --isa --help)')
    .parse(argv, { from: 'user' })
    .opts<Options>();
  for (const path of [options.json, options.report]) if (path !== undefined) await checkWritable(path);
  const target = options.node
    ? await openNode({ peers: true })
    : await openBrowser({
        adapter: options.adapter,
        headed: options.headed ?? false,
        ...(options.browser && { path: options.browser }),
      });
  const write = async ({ environment, rows, findings }: WholeRun) => {
    if (options.json === undefined) return;
    await writeResult(options.json, `${JSON.stringify({ environment, rows, findings }, null, 1)}\n`);
  };
  let whole: WholeRun;
  try {
    whole = await wholeRun(target, {
      quick: options.quick ?? false,
      ...(options.runs && { runs: options.runs }),
      ...(options.filter && { filter: options.filter }),
      onRows: write,
    });
  } finally {
    await target.close();
  }
  await write(whole);
  const { environment, ceilings, rows, findings: found } = whole;
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
