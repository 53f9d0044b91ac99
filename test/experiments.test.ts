/** Experiments without training: plans, keys, shards, results files, child processes, figures. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { holdOut } from '../src/data/split.ts';
import { plannedRuns } from '../tools/cli/experiment.ts';
import { ExperimentError } from '../tools/experiments/errors.ts';
import { inPlanOrder } from '../tools/experiments/experiment.ts';
import { paretoFront } from '../tools/experiments/frontier.ts';
import { mergeResults, ResultsFile, readResults, shardFiles } from '../tools/experiments/lines.ts';
import { type Failure, makeRuns } from '../tools/experiments/runner.ts';
import { expectedBest } from '../tools/experiments/seeds.ts';
import { type RunSpec, runSpec } from '../tools/experiments/spec.ts';
import { summarise } from '../tools/experiments/summary.ts';
import { experimentNamed, experimentNames } from '../tools/experiments/table.ts';
import { madeUp } from './made-up-results.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightless-experiments-'));
let files = 0;
const freshFile = () => join(folder, `${files++}.jsonl`);
const spec = (network: string, seed = 0) => runSpec({ data: 'mnist', network, seed, epochs: 1 });

describe('plans', () => {
  it.each(experimentNames)('%s: seed after seed, no key twice, --quick is another', (name) => {
    const experiment = experimentNamed(name);
    const plan = experiment.plan({ quick: false, runs: 3 });
    const keys = plan.map(({ key }) => key);
    expect(new Set(keys).size).toBe(plan.length);
    expect(plan.map(({ seed }) => seed)).toEqual(plan.map((_, i) => Math.floor((3 * i) / plan.length)));
    for (const { key, series, seed } of plan) expect(key).toBe(`${series} | seed ${seed}`);
    for (const { key } of experiment.plan({ quick: true, runs: 3 })) expect(keys).not.toContain(key);
    // More seeds come behind: what was made for three is the start of what is made for five.
    expect(experiment.plan({ quick: false, runs: 5 }).slice(0, plan.length)).toEqual(plan);
  });

  it('a key holds whatever the numbers depend on', () => {
    const base = { data: 'mnist', network: 'half 8 normal, dense classes', seed: 3, epochs: 6 };
    expect(runSpec(base).key).toBe('mnist | half 8 normal, dense classes | 6 epochs of 128 at 0.004 | seed 3');
    const others: Partial<RunSpec>[] = [
      ...[{ data: 'fashion-mnist' }, { network: 'dense classes' }, { seed: 4 }, { epochs: 7 }, { batch: 64 }],
      ...[{ rate: 0.01 }, { trainRows: 100 }, { testRows: 100 }, { validationRows: 100 }, { extra: { half: 'all' } }],
      ...[{ shift: 1 }, { start: 'raw' as const }, { start: 'scaled' as const }],
    ];
    const keys = [base, ...others.map((other) => ({ ...base, ...other }))].map((given) => runSpec(given).key);
    expect(new Set(keys).size).toBe(keys.length);
    expect(runSpec({ ...base, start: 'calibrated' }).key).toBe(runSpec(base).key);
  });

  it('shards are disjoint and together the plan; --only and --data-dir choose', () => {
    const paper = experimentNamed('paper');
    const whole = plannedRuns(paper, { backend: 'auto', runs: 2 }).map(({ key }) => key);
    for (const of of [1, 2, 3, 7, 1000]) {
      const shards = Array.from({ length: of }, (_, i) =>
        plannedRuns(paper, { backend: 'auto', runs: 2, shard: [i + 1, of] }).map(({ key }) => key),
      );
      expect(shards.flat().sort()).toEqual([...whole].sort());
      const sizes = shards.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
    const some = plannedRuns(paper, { backend: 'auto', runs: 1, only: 'half 512 binary', dataDir: 'mine' });
    expect(some.map(({ key }) => key)).toEqual([
      'mine | half 512 binary, dense classes | 6 epochs of 128 at 0.004 | seed 0',
    ]);
    const nothing = () => plannedRuns(paper, { backend: 'auto', only: 'no such' });
    expect(nothing).toThrow(ExperimentError);
    expect(nothing).toThrow(/expected --only to be in the key of a run, such as 'mnist \| dense 32.*got 'no such'/);
    expect(() => experimentNamed('papers')).toThrow(/expected an experiment \(paper, .*got 'papers'/);
  });
});

describe('results files', () => {
  const results = ['a', 'b', 'c', 'd'].map((network) => madeUp({ network }));

  it('cut anywhere, a file goes on with whole lines: none lost, none twice', async () => {
    const text = results.map((result) => `${JSON.stringify(result)}\n`).join('');
    const ends = [...text.matchAll(/\n/g)].map(({ index }) => index + 1);
    for (const cut of [0, 1, ends[0]! - 1, ends[0]!, ends[1]! + 40, ends[2]! - 1, text.length]) {
      const path = freshFile();
      writeFileSync(path, text.slice(0, cut));
      const whole = ends.filter((end) => end <= cut).length;
      expect(await readResults(path)).toEqual(results.slice(0, whole));
      const file = await ResultsFile.open(path);
      expect(file.results).toEqual(results.slice(0, whole));
      for (const result of results.slice(whole)) file.append(result);
      file.close();
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });

  it('refuses a second writer, and not what one that is gone left', async () => {
    const path = freshFile();
    const file = await ResultsFile.open(path);
    await expect(ResultsFile.open(path)).rejects.toThrow(ExperimentError);
    await expect(ResultsFile.open(path)).rejects.toThrow(
      new RegExp(`process ${process.pid} on .* is writing it.*--shard.*--out`),
    );
    file.close();
    expect(existsSync(`${path}.lock`)).toBe(false);
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (const left of [JSON.stringify({ pid, host: (await import('node:os')).hostname() }), '{"pid":']) {
      writeFileSync(`${path}.lock`, left);
      (await ResultsFile.open(path)).close();
    }
    writeFileSync(`${path}.lock`, JSON.stringify({ pid: 1, host: 'another-machine' })); // who knows
    await expect(ResultsFile.open(path)).rejects.toThrow(/process 1 on another-machine.*remove .*\.lock/);
  });

  it('names a damaged line, and writes nothing to that file', async () => {
    const path = freshFile();
    const text = `${JSON.stringify(results[0])}\nnot a run\n`;
    writeFileSync(path, text);
    await expect(ResultsFile.open(path)).rejects.toThrow(/expected a run as JSON in line 2, got 'not a run'/);
    await expect(readResults(path)).rejects.toThrow(ExperimentError);
    expect(readFileSync(path, 'utf8')).toBe(text);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it.each([
    ['{"seed":1e9}', /in line 1 whose key is text, got undefined/],
    [
      JSON.stringify({ ...results[0], spec: undefined }),
      /in line 1 whose spec is the options of the run, got undefined/,
    ],
    [JSON.stringify({ ...results[0], spec: { key: 'a' } }), /whose spec is/],
    [JSON.stringify({ ...results[0], seed: -1 }), /whose seed is an integer of at least 0, got -1/],
    [JSON.stringify({ ...results[0], confusion: [[1, 2]] }), /whose confusion is a square matrix of counts/],
    [JSON.stringify({ ...results[0], history: [null] }), /whose history is a list of epochs/],
    ['null', /expected a run as JSON in line 1, got 'null'/],
  ])('refuses to merge %.60s', async (line, message) => {
    const path = freshFile();
    writeFileSync(path, `${line}\n`);
    await expect(mergeResults(freshFile(), [path])).rejects.toThrow(ExperimentError);
    await expect(mergeResults(freshFile(), [path])).rejects.toThrow(message);
    await expect(readResults(path)).rejects.toThrow(path);
  });

  it('takes every committed results file', async () => {
    const committed = join(import.meta.dirname, '../experiments/results');
    const names = readdirSync(committed).filter((name) => name.endsWith('.jsonl'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) expect((await readResults(join(committed, name))).length).toBeGreaterThan(0);
  });

  it.each(experimentNames)('%s: results come in the order of the plan, at once for any seed', (name) => {
    const experiment = experimentNamed(name);
    const plan = experiment.plan({ quick: false, runs: 3 });
    const made = plan.map((spec) => ({ ...madeUp({ network: spec.network, data: spec.data, seed: spec.seed }), spec }));
    const last = { ...made[0]!, seed: 1e9 };
    const unknown = madeUp({ network: 'in no plan' });
    const ordered = inPlanOrder(experiment, [unknown, last, ...[...made].reverse()]);
    expect(ordered.map(({ spec }) => spec.key)).toEqual([...made, last, unknown].map(({ spec }) => spec.key));
  });

  it('shards merge to each run once, again and again', async () => {
    const path = freshFile();
    const part = (name: string, own: readonly object[]) =>
      appendFileSync(
        path.replace('.jsonl', `.${name}.jsonl`),
        own.map((result) => `${JSON.stringify(result)}\n`).join(''),
      );
    const dated = results.map((result, i) => ({ ...result, date: `2026-01-0${i + 1}T00:00:00.000Z` }));
    part('2-of-2', [dated[1]!, dated[3]!]);
    part('1-of-2', [dated[0]!, dated[2]!, dated[1]!]);
    part('other', dated); // no shard of it
    const from = await shardFiles(path);
    expect(from.map((file) => file.slice(path.length - 5))).toEqual(['1-of-2.jsonl', '2-of-2.jsonl']);
    for (let time = 0; time < 2; time++) {
      expect(await mergeResults(path, from)).toEqual(dated);
      expect(await readResults(path)).toEqual(dated);
    }
    await expect(mergeResults(path, [join(folder, 'nowhere.jsonl')])).rejects.toThrow(
      /expected a results file with runs/,
    );
  });
});

describe('child processes', () => {
  const program = join(import.meta.dirname, 'experiments-worker.mjs');
  const make = async (specs: readonly RunSpec[], jobs = 2, signal = new AbortController().signal) => {
    const made: string[] = [];
    const failed: Failure[] = [];
    await makeRuns(specs, {
      experiment: 'paper',
      backend: 'webgpu',
      program,
      jobs,
      signal,
      onResult: ({ key }) => made.push(key),
      onFailure: (failure) => failed.push(failure),
      onProgress() {},
    });
    return { made, failed };
  };

  it('one that is killed, or a run that throws, costs that run alone and is named', async () => {
    const specs = ['a', 'killed', 'b', 'throws', 'c', 'd'].map((network) => spec(network));
    for (const jobs of [1, 2]) {
      const { made, failed } = await make(specs, jobs);
      expect(made.sort()).toEqual(['a', 'b', 'c', 'd'].map((network) => spec(network).key));
      expect(failed.map(({ spec, error }) => [spec.network, error]).sort()).toEqual([
        ['killed', 'its process ended by SIGKILL'],
        ['throws', 'DivergedError: loss is NaN'],
      ]);
    }
  });

  it('a signal ends them at once', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    await expect(make([spec('slow'), spec('slow', 1)], 2, controller.signal)).rejects.toThrow(/abort/);
  });

  it('a program that can not start is named', async () => {
    const gone = makeRuns([spec('a')], {
      experiment: 'paper',
      backend: 'cpu',
      program: join(folder, 'nothing.mjs'),
      signal: new AbortController().signal,
      onResult() {},
      onFailure() {},
      onProgress() {},
    });
    await expect(gone).rejects.toThrow(/could not start: its process ended with code 1: .*nothing\.mjs/s);
  });
});

describe('figures', () => {
  it('mean and standard deviation of a sample, by series', () => {
    const runs = [0.9, 0.92, 0.97].map((testAccuracy, seed) => madeUp({ network: 'a', seed, testAccuracy }));
    const other = madeUp({ network: 'b', testAccuracy: 0.5 });
    const [a, b] = summarise([runs[0]!, other, runs[1]!, runs[2]!]);
    expect(a).toMatchObject({ network: 'a', runs: 3 });
    expect(a!.testAccuracy.mean).toBeCloseTo(0.93, 12);
    expect(a!.testAccuracy.deviation).toBeCloseTo(Math.sqrt((0.03 ** 2 + 0.01 ** 2 + 0.04 ** 2) / 2), 12);
    expect(b).toMatchObject({ network: 'b', runs: 1, testAccuracy: { mean: 0.5, deviation: 0 } });
  });

  it('the expected best of so many is the mean over all choices', () => {
    const run = fc.record({ testAccuracy: fc.double({ min: 0, max: 1, noNaN: true }), score: fc.integer() });
    const runs = fc.uniqueArray(run, { minLength: 1, maxLength: 7, selector: ({ score }) => score });
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 7 }), (all, asked) => {
        const count = Math.min(asked, all.length);
        const bests: number[] = [];
        for (let choice = 0; choice < 2 ** all.length; choice++) {
          const chosen = all.filter((_, i) => (choice >> i) & 1);
          if (chosen.length !== count) continue;
          bests.push(chosen.reduce((a, b) => (b.score > a.score ? b : a)).testAccuracy);
        }
        const expected = bests.reduce((a, b) => a + b, 0) / bests.length;
        expect(expectedBest(all, count, ({ score }) => score)).toBeCloseTo(expected, 9);
      }),
    );
  });

  it('the front is what no other beats in bytes and accuracy', () => {
    const point = fc.record({ bytes: fc.integer({ min: 1, max: 9 }), mean: fc.integer({ min: 0, max: 9 }) });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 12 }), (points) => {
        const all = points.map(({ bytes, mean }) => ({ bytes, accuracy: { mean, deviation: 0, runs: 1 } }));
        const front = paretoFront(all).map(({ bytes, accuracy }) => `${bytes} ${accuracy.mean}`);
        const best = all.filter(
          (a) =>
            !all.some(
              (b) =>
                b.bytes <= a.bytes &&
                b.accuracy.mean >= a.accuracy.mean &&
                (b.bytes < a.bytes || b.accuracy.mean > a.accuracy.mean),
            ),
        );
        expect(new Set(front)).toEqual(new Set(best.map(({ bytes, accuracy }) => `${bytes} ${accuracy.mean}`)));
        expect(new Set(front).size).toBe(front.length);
      }),
    );
  });

  it('rows are held out of all of the data, the same each time', () => {
    const rows = 300;
    const data = dataSet({
      features: Uint8Array.from({ length: 2 * rows }, (_, i) => (i >> 1) % 256),
      shape: [2],
      labels: Array.from({ length: rows }, (_, row) => Math.floor(row / 100)), // sorted by class
    });
    const { train, validation } = holdOut(data, 60);
    expect([train.rows, validation.rows]).toEqual([240, 60]);
    expect(holdOut(data, 60)).toEqual({ train, validation });
    const counts = [0, 1, 2].map((label) => validation.labels.filter((own) => own === label).length);
    for (const count of counts) expect(count).toBeGreaterThan(8); // 20 expected, 4 standard deviations below
    const firsts = [train, validation].flatMap(({ features }) => [...features].filter((_, i) => i % 2 === 0));
    expect(firsts.sort((a, b) => a - b)).toEqual(
      Array.from({ length: rows }, (_, row) => row % 256).sort((a, b) => a - b),
    );
    const [image] = [validation.features.subarray(0, 2)];
    expect(data.labels[image[0]!]).toBe(validation.labels[0]);
    expect(image[0]).toBe(image[1]);
    expect(() => holdOut(data, 300)).toThrow(DataError);
  });
});
