/**
 * Tests the raw words of the weight stream with Dieharder, R. G. Brown's battery of randomness tests.
 *
 *   npm run dieharder -- --order all --log dieharder.log        the whole battery in three orders; takes hours
 *   npm run dieharder -- --resume --log dieharder.log           continues the last run of that log
 *   npm run dieharder -- --bad nested                           a deliberately wrong mix: stops at the first FAILED
 *   node scripts/dieharder.mjs --summarise LOGS...              the table of test/golden/dieharder-v1.md
 *
 * A WEAK test is repeated with another seed. Exits with 1 if a usable test FAILED, with 2 if nothing could run.
 */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { parseLog, parseRow, summarise, UNFIT } from './dieharder-summary.mjs';
import { openLog } from './log-file.mjs';
import { controlWords, orders, rawWords, wrongMixes } from './raw-words.mjs';

/**
 * -g 200: raw words from stdin; -k 2: exact Kolmogorov-Smirnov; -Y 1: a WEAK test gets more samples until it is
 * settled.
 */
const FLAGS = ['-g', '200', '-k', '2', '-Y', '1'];
/** Offset of the seed for repeating a WEAK test, far from every seed that the order `seeds` reads. */
const REPETITION_STRIDE = 1e12;
/** Test numbers (-d) of the short names in Dieharder's table that it cannot look up itself. */
const NUMBERS = {
  diehard_birthdays: 0,
  diehard_operm5: 1,
  diehard_rank_32x32: 2,
  diehard_rank_6x8: 3,
  diehard_bitstream: 4,
  diehard_opso: 5,
  diehard_oqso: 6,
  diehard_dna: 7,
  diehard_count_1s_str: 8,
  diehard_count_1s_byt: 9,
  diehard_parking_lot: 10,
  diehard_2dsphere: 11,
  diehard_3dsphere: 12,
  diehard_squeeze: 13,
  diehard_sums: 14,
  diehard_runs: 15,
  diehard_craps: 16,
  marsaglia_tsang_gcd: 17,
  sts_monobit: 100,
  sts_runs: 101,
  sts_serial: 102,
  rgb_bitdist: 200,
  rgb_minimum_distance: 201,
  rgb_permutations: 202,
  rgb_lagged_sum: 203,
  rgb_kstest_test: 204,
  dab_bytedistrib: 205,
  dab_dct: 206,
  dab_filltree: 207,
  dab_filltree2: 208,
  dab_monobit2: 209,
};
/**
 * Tests for which `-n` selects a single row, and the rows that the whole battery (`-a`) runs. All other tests print all
 * their rows.
 */
const CHOSEN_BY_NTUPLE = new Map([
  [200, [1, 12]],
  [201, [2, 5]],
  [202, [2, 5]],
  [203, [0, 32]],
]);

const self = fileURLToPath(import.meta.url);

const program = new Command('dieharder')
  .addOption(new Option('--order <name>').choices([...orders, 'all']).default('all'))
  .addOption(
    new Option('--bad <mix>', 'a wrong mix instead of the stream (default order: seeds)').choices(
      Object.keys(wrongMixes),
    ),
  )
  .option('--control', 'AES-256 in counter mode instead of the stream: a WEAK verdict here is a fault of the test')
  .option(
    '--tests <list>',
    'Dieharder test numbers, optionally with :NTUPLE, e.g. 0,200:3 (default: the whole battery)',
  )
  .option('--p-samples <n>', "p-values per test (default: each test's own number, mostly 100)")
  .option('--seed <n>', 'first seed', Number, 1)
  .option('--log <file>', 'append all output to this file')
  .option('--resume', 'continue the last run of the log where it stopped')
  .option('--summarise <logs...>', 'print the table of these logs without running anything')
  .addOption(new Option('--generate', 'only write raw words to stdout').hideHelp())
  .parse();
const options = program.opts();
const runs = !options.summarise && !options.generate;
const print = openLog('dieharder', runs ? options.log : undefined, { append: true });
const command = ['npm run dieharder --', ...process.argv.slice(2)].join(' ').replace(/ --log \S+/, '');

if (options.summarise) {
  console.log(summarise(options.summarise.map((file) => readFileSync(file, 'utf8')).join('\n')));
} else if (options.generate) {
  generate(options.control ? controlWords(options.seed) : rawWords(options.order, options.seed, options.bad));
} else {
  process.exitCode = await main();
}

/** Writes words until the reader closes the pipe. Writes block, so the reader sets the pace. */
function generate(chunks) {
  for (const chunk of chunks) {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(1, bytes, at);
      } catch (error) {
        if (error.code === 'EPIPE') {
          return;
        }
        if (error.code !== 'EAGAIN') {
          throw error;
        }
      }
    }
  }
}

async function main() {
  if (spawnSync('dieharder', ['-l']).error) {
    console.error('dieharder: expected the program "dieharder" on the path, found none: apt-get install dieharder');
    return 2;
  }
  const order = options.bad && program.getOptionValueSource('order') === 'default' ? 'seeds' : options.order;
  const chosen = options.control ? ['none'] : order === 'all' ? orders : [order];
  let failed = 0;
  if (options.resume) {
    const stopped = options.log ? parseLog(readFileSync(options.log, 'utf8')).at(-1) : undefined;
    if (stopped?.mix !== 'stream' || stopped.command.includes('--tests')) {
      console.error('dieharder --resume: expected --log with a stopped run of the whole battery on the stream');
      return 2;
    }
    options.seed = stopped.seed;
    return (await battery(stopped.order, stopped)) > 0 ? 1 : 0;
  }
  for (const one of chosen) {
    failed += await battery(one);
  }
  return failed > 0 ? 1 : 0;
}

/** The tests of the battery without rows here, as arguments of `-d` and `-n`. One row shows that a test has run. */
function missing(rows) {
  return Object.entries(NUMBERS).flatMap(([test, number]) => {
    const done = rows.filter((row) => row.test === test).map((row) => Number(row.ntuple));
    const [first, last] = CHOSEN_BY_NTUPLE.get(number) ?? [];
    if (first === undefined) return done.length ? [] : [[`${number}`]];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
      .filter((ntuple) => !done.includes(ntuple))
      .map((ntuple) => [`${number}`, `${ntuple}`]);
  });
}

/**
 * Runs all tests of one order, or those missing from a stopped run, then repeats the WEAK ones. Returns the number of
 * FAILED tests.
 */
async function battery(order, stopped) {
  const started = Date.now();
  const mix = options.control ? 'aes-256-ctr' : (options.bad ?? 'stream');
  print(
    stopped
      ? '# resumed {"earlier minutes":"not counted"}'
      : `# run ${JSON.stringify({ command, order, mix, seed: options.seed })}`,
  );
  const rows = [...(stopped?.rows ?? [])];
  const whole = stopped ? missing(rows) : [undefined];
  const selections = options.tests ? options.tests.split(',').map((test) => test.split(':')) : whole;
  for (const selection of selections) {
    const flags = selection ? ['-d', selection[0], ...(selection[1] ? ['-n', selection[1]] : [])] : ['-a'];
    rows.push(...(await dieharder(order, options.seed, flags)));
    if (options.bad && rows.some((row) => row.verdict === 'FAILED' && !UNFIT.has(row.test))) {
      break;
    }
  }
  const repeated = new Map();
  for (const { test, ntuple, verdict } of options.bad ? [] : rows) {
    const number = NUMBERS[test];
    if (verdict === 'WEAK' && number !== undefined) {
      const chosen = CHOSEN_BY_NTUPLE.has(number);
      repeated.set(chosen ? `${number}:${ntuple}` : `${number}`, [
        '-d',
        `${number}`,
        ...(chosen ? ['-n', ntuple] : []),
      ]);
    }
  }
  for (const flags of repeated.values()) {
    if (stopped?.repetitions.some((other) => other.rows.length && `${other.flags}` === `${flags}`)) continue;
    print(`# repetition ${JSON.stringify({ flags, seed: options.seed + REPETITION_STRIDE })}`);
    rows.push(...(await dieharder(order, options.seed + REPETITION_STRIDE, flags)));
  }
  const count = (verdict) => rows.filter((row) => row.verdict === verdict && !UNFIT.has(row.test)).length;
  const summary = { passed: count('PASSED'), weak: count('WEAK'), failed: count('FAILED') };
  print(`# end ${JSON.stringify({ ...summary, minutes: Math.round((Date.now() - started) / 6000) / 10 })}`);
  return summary.failed;
}

/** Runs Dieharder on the generator's output, both in one process group, so that both can be stopped. */
async function dieharder(order, seed, flags) {
  const source = options.control ? ['--control'] : ['--order', order, ...(options.bad ? ['--bad', options.bad] : [])];
  const generator = ['--generate', ...source, '--seed', `${seed}`];
  const quote = (words) => words.map((word) => `'${word}'`).join(' ');
  const line = `${quote([process.execPath, self, ...generator])} | dieharder ${quote([...FLAGS, ...(options.pSamples ? ['-p', options.pSamples] : []), ...flags])}`;
  const child = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const stop = () => process.kill(-child.pid, 'SIGTERM');
  const interrupted = () => {
    stop();
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  const exited = new Promise((resolve) => child.once('close', resolve));
  const rows = [];
  for await (const text of createInterface({ input: child.stdout })) {
    print(text);
    const row = parseRow(text);
    if (row) {
      rows.push(row);
      if (options.bad && row.verdict === 'FAILED' && !UNFIT.has(row.test)) {
        stop();
        break;
      }
    }
  }
  const code = await exited;
  process.off('SIGINT', interrupted);
  process.off('SIGTERM', interrupted);
  if (rows.length === 0) {
    throw new Error(`dieharder ${flags.join(' ')}: expected a table of results, got none (exit code ${code})`);
  }
  return rows;
}
