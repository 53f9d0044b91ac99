/** `npm run bench -- --kernel FILE.wgsl`: times anybody's compute shader the way the bench times ours. */
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { DataError, OptionError } from '../../src/core/errors.ts';
import { checkWritable, writeResult } from '../../src/core/files.ts';
import { readInput } from '../../src/core/read-input.ts';
import { type AdapterChoice, openBrowser } from '../browser.ts';
import { runEnvironment } from '../environment.ts';
import { openNode } from '../node.ts';
import { positive } from '../options.ts';
import { tables } from '../report.ts';
import { buildRows, type Measured } from '../rows.ts';
import { difference } from '../verify.ts';
import { type Contents, contentsOf, readContents } from './data.ts';
import { expectUsed, type KernelPlan, planKernel } from './plan.ts';
import type { KernelResult } from './run.ts';

const MOST_BYTES = 2 ** 24;

interface Options {
  kernel: string[];
  grid: [number, number, number];
  entry?: string;
  size: Record<string, number>;
  set: Record<string, number[]>;
  constant: Record<string, number>;
  macs?: number;
  reference?: string;
  tolerance: number;
  runs: number;
  adapter: AdapterChoice;
  browser?: string;
  node?: boolean;
  json?: string;
}

function numberOf(text: string): number {
  const value = Number(text);
  if (text.trim() && Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`expected a number, got '${text}'`);
}

function pair<T>(parse: (text: string) => T) {
  return (text: string, before: Record<string, T> = {}): Record<string, T> => {
    const at = text.indexOf('=');
    if (at < 1) throw new InvalidArgumentError(`expected NAME=VALUE, got '${text}'`);
    return { ...before, [text.slice(0, at)]: parse(text.slice(at + 1)) };
  };
}

function gridOf(text: string): [number, number, number] {
  const [x, y = 1, z = 1, ...rest] = text.split(',').map(positive);
  if (rest.length || !x) throw new InvalidArgumentError(`expected up to three numbers X,Y,Z, got '${text}'`);
  return [x, y, z];
}

/** What a reference exports by default: the contents of the buffers that the kernel writes, by name. */
type Reference = (
  buffers: Readonly<Record<string, Contents>>,
) => Record<string, unknown> | Promise<Record<string, unknown>>;

async function referenceOf(path: string): Promise<Reference> {
  const module: { default?: unknown } = await import(pathToFileURL(path).href).catch((error: Error) => {
    throw new DataError(`${path}: expected a module of JavaScript, could not load it: ${error.message}`);
  });
  if (typeof module.default === 'function') return module.default as Reference;
  throw new DataError(`${path}: expected a function as default export, got ${typeof module.default}`);
}

const isNumbers = (value: unknown): value is ArrayLike<number> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** What is wrong with a kernel's outputs, or undefined. Throws `DataError` if the reference returns something else. */
async function wrongOutput(plan: KernelPlan, result: KernelResult, reference: Reference, tolerance: number) {
  const given = Object.fromEntries(
    plan.buffers.map((buffer, i) => [buffer.name, readContents(buffer, contentsOf(buffer, i + 1))]),
  );
  const expected = await reference(given);
  const outputs = plan.buffers.filter(({ kind }) => kind === 'storage');
  const checked = outputs.filter(({ name }) => expected?.[name] !== undefined);
  if (!checked.length) {
    const names = outputs.map(({ name }) => name).join(', ');
    throw new DataError(`reference: expected an object with numbers for one of ${names || 'no buffer at all'}`);
  }
  for (const buffer of checked) {
    const want = expected[buffer.name];
    const got = readContents(buffer, Buffer.from(result.outputs![buffer.name]!, 'base64'));
    if (!isNumbers(want) || !isNumbers(got)) {
      throw new DataError(`reference: ${buffer.name}: expected an array of numbers for an array of numbers`);
    }
    let largest = 0;
    for (let i = 0; i < want.length; i++) largest = Math.max(largest, Math.abs(want[i]!));
    const wrong = difference(got, want, { absolute: tolerance * largest, relative: 0, reason: '--tolerance' });
    if (wrong) return `${buffer.name}: ${wrong}`;
  }
  return undefined;
}

/** Returns the exit code. */
export async function kernelBench(argv: readonly string[]): Promise<number> {
  const options = new Command('bench --kernel')
    .description(
      'Times compute shaders in one interleaved run, each with random data in its buffers: floats between -1 and 1, ' +
        'integers between 0 and 255, the same in every run.',
    )
    .requiredOption('--kernel <files...>', 'WGSL files. Bindings are read from the code')
    .requiredOption('--grid <x,y,z>', 'number of workgroups', gridOf)
    .option('--entry <name>', 'entry point, if there are several')
    .option('--size <name=elements>', 'length of an array that has none in the code; repeatable', pair(positive), {})
    .option(
      '--set <name=numbers>',
      'value of a uniform, or NAME.FIELD of its struct, or of a storage buffer; repeatable',
      pair((text) => text.split(',').map(numberOf)),
      {},
    )
    .option('--constant <name=number>', 'value of an override; repeatable', pair(numberOf), {})
    .option('--macs <n>', 'multiply-accumulates of a call, for GMAC/s', positive)
    .option(
      '--reference <file>',
      'JavaScript module: its default export takes the contents of all buffers by name and returns the expected ' +
        'contents, after one call, of those that it checks',
    )
    .option('--tolerance <x>', 'allowed difference, relative to the largest expected value of a buffer', numberOf, 1e-4)
    .option('--runs <n>', 'number of samples per kernel', positive, 12)
    .addOption(new Option('--adapter <kind>').choices(['software', 'hardware', 'auto']).default('auto'))
    .option('--browser <path>', 'path of Chrome or Chromium (default: the installed one)')
    .option('--node', 'in Node instead of a browser')
    .option('--json <file>', 'write the environment and the rows to this file')
    .parse(argv, { from: 'user' })
    .opts<Options>();
  if (options.json !== undefined) await checkWritable(options.json);
  const reference = options.reference === undefined ? undefined : await referenceOf(options.reference);
  const { grid, size: sizes, set: values, constant: constants, entry } = options;
  const given = { grid, sizes, values, constants, ...(entry !== undefined && { entry }) };
  const plans = await Promise.all(
    options.kernel.map(async (path) =>
      planKernel(basename(path), new TextDecoder().decode(await readInput(path, MOST_BYTES)), given),
    ),
  );
  expectUsed(plans, given);
  const doubled = plans.find(({ name }, i) => plans.findIndex((other) => other.name === name) < i);
  if (doubled) throw new OptionError(`--kernel: expected files of different names, got ${doubled.name} twice`);
  const target = options.node
    ? await openNode()
    : await openBrowser({ adapter: options.adapter, ours: true, ...(options.browser && { path: options.browser }) });
  try {
    const results = await target.runKernels(plans, { runs: options.runs, outputs: reference !== undefined });
    const measured: Measured[] = [];
    for (const [i, { name, samples, calls, gpuMs, error }] of results.entries()) {
      const plan = plans[i]!;
      const row = { task: 'kernel', engine: name, weights: plan.entry, peer: false };
      const wrong = error ?? (reference && (await wrongOutput(plan, results[i]!, reference, options.tolerance)));
      measured.push({
        ...row,
        ...(samples && { samples, calls: calls! }),
        ...(gpuMs && { gpuMs }),
        bytes: plan.buffers.reduce((sum, { bytes }) => sum + bytes, 0),
        ...(options.macs && { macs: options.macs }),
        ...((reference || error) && { verified: wrong === undefined }),
        ...(wrong && { error: wrong }),
      });
    }
    const rows = buildRows(measured);
    console.log(tables(rows));
    if (options.json !== undefined) {
      const environment = { ...runEnvironment(), ...(await target.environment()) };
      await writeResult(options.json, `${JSON.stringify({ environment, rows, findings: [] }, null, 1)}\n`);
    }
    return rows.some(({ verified }) => verified === false) ? 1 : 0;
  } finally {
    await target.close();
  }
}
