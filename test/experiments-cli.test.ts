/** `weightless experiment` as a user meets it: dist/cli.js in a process of its own, tiny networks on tiny images of one's own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { dataSet } from '../src/data/dataset.ts';
import { readModel } from '../src/model/safetensors.ts';
import type { ClassificationFigures } from '../src/train/figures.ts';
import { plannedRuns } from '../tools/cli/experiment.ts';
import type { TrainedRun } from '../tools/cli/trained-run.ts';
import { partsOf } from '../tools/experiments/data.ts';
import { type Result, runSpec } from '../tools/experiments/spec.ts';
import { experimentNamed } from '../tools/experiments/table.ts';
import { writeStripedImages } from './striped-images.mjs';

const root = join(import.meta.dirname, '..');
const cli = join(root, 'dist/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'weightless-experiment-'));
const own = join(folder, 'own');
writeStripedImages(own, 120);

/** Two networks of `paper`, half and random. */
const asked = ['experiment', 'paper', '--data-dir', own, '--backend', 'cpu', '--only', '128 normal'];
const keysOf = (runs: number) =>
  plannedRuns(experimentNamed('paper'), { backend: 'cpu', runs, only: '128 normal', dataDir: own }).map(
    ({ key }) => key,
  );

function run(args: readonly string[], program = cli) {
  const made = spawnSync(process.execPath, [program, ...args], { encoding: 'utf8', cwd: folder, timeout: 60_000 });
  return { code: made.status, out: made.stdout, err: made.stderr };
}

const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Result);

/** Until the command has written so many lines. */
async function lines(command: ChildProcess, file: string, count: number): Promise<void> {
  while (!existsSync(file) || linesOf(file).length < count) {
    if (command.exitCode !== null)
      throw new Error(`expected ${count} runs, the command ended with ${command.exitCode}`);
    await sleep(10);
  }
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('weightless experiment', () => {
  it('makes the runs and their report; shards merge to the same; --json tells all', () => {
    const report = join(folder, 'deep/report.html');
    const whole = run([...asked, '--runs', '2', '--jobs', '1', '--json', '--report', report]);
    expect(whole.code, whole.err).toBe(0);
    const answer = JSON.parse(whole.out);
    expect(answer).toMatchObject({ experiment: 'paper', runs: 4, failed: [], report });
    const lines = linesOf(join(folder, answer.file));
    expect(lines.map(({ key }) => key)).toEqual(keysOf(2));
    for (const row of answer.summary) {
      const accuracies = lines.filter(({ network }) => network === row.network).map((line) => line.testAccuracy);
      const [a, b] = accuracies as [number, number];
      expect(row).toMatchObject({ runs: 2, data: own });
      expect(row.testAccuracy.mean).toBeCloseTo((a + b) / 2, 12);
      expect(row.testAccuracy.deviation).toBeCloseTo(Math.abs(a - b) / Math.SQRT2, 12);
    }
    for (const line of lines) {
      expect(line.confusion.flat().reduce((a, b) => a + b)).toBe(60);
      expect(line.history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(line.trainedParameters).toBe(line.network.startsWith('half') ? 2 * 128 + 128 * 3 + 3 : 128 * 3 + 3);
    }
    // Whole in itself: no scripts, nothing that would be fetched.
    const html = readFileSync(report, 'utf8');
    expect(html).toContain('<svg');
    expect(html).toContain('data:image/png;base64,');
    expect(html).toContain(`weightless experiment paper --data-dir ${own}`);
    expect(html).not.toMatch(/<script|<link|<iframe|@import|(?:src|href)="(?!data:|#)|url\((?!#|&quot;#|"#)/);

    const shards = [1, 2].map((part) =>
      run([...asked, '--runs', '2', '--out', 'sharded.jsonl', '--shard', `${part}/2`]),
    );
    expect(shards.map(({ code }) => code)).toEqual([0, 0]);
    const merged = run(['experiment', 'paper', '--out', 'sharded.jsonl', '--merge', '--json']);
    expect(JSON.parse(merged.out).runs).toBe(4);
    const numbers = (results: readonly Result[]) =>
      results.map(({ key, testAccuracy, history }) => [key, testAccuracy, history.at(-1)!.loss]);
    expect(numbers(linesOf(join(folder, 'sharded.jsonl'))).sort()).toEqual(numbers(lines).sort()); // to the bit
  });

  it('killed in the middle and its file cut, it goes on: every run once, no process left behind', async () => {
    const file = join(folder, 'killed.jsonl');
    const command = [...asked, '--runs', '12', '--jobs', '2', '--out', file];
    const parent = spawn(process.execPath, [cli, ...command], { cwd: folder, stdio: 'ignore' });
    const children = () =>
      process.platform === 'linux'
        ? readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8').trim().split(/\s+/).map(Number)
        : [];
    await lines(parent, file, 3);
    const left = children();
    parent.kill('SIGKILL');
    await new Promise((resolve) => parent.once('exit', resolve));
    const made = linesOf(file).length;
    expect(made).toBeLessThan(24);
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.slice(0, -30)); // as a machine that lost power leaves it
    const on = run([...command, '--json']);
    expect(on.code, on.err).toBe(0);
    const after = readFileSync(file, 'utf8');
    expect(after.startsWith(text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1))).toBe(true);
    expect(
      linesOf(file)
        .map(({ key }) => key)
        .sort(),
    ).toEqual(keysOf(12).sort());
    const again = run([...command, '--json']);
    expect(JSON.parse(again.out).runs).toBe(24);
    expect(readFileSync(file, 'utf8')).toBe(after);
    for (let tries = 0; left.some(isAlive) && tries < 200; tries++) await sleep(50); // they leave when their parent is gone
    expect(left.filter(isAlive)).toEqual([]);
  });

  it('a second command on the same file is refused', async () => {
    const file = join(folder, 'shared.jsonl');
    const command = [...asked, '--runs', '40', '--jobs', '1', '--out', file];
    const first = spawn(process.execPath, [cli, ...command], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    first.stderr.on('data', (text) => {
      said += text;
    });
    await lines(first, file, 1);
    const second = run(command);
    expect(second.code).toBe(1);
    expect(second.err).toMatch(new RegExp(`ExperimentError: .*process ${first.pid} on .* is writing it`));
    first.kill('SIGINT');
    const code = await new Promise((resolve) => first.once('exit', resolve));
    expect(code).toBe(130);
    expect(said).toMatch(/stopped: \d+ of 80 runs are left; the same command goes on from/);
    expect(existsSync(`${file}.lock`)).toBe(false);
  });

  it('wrong data is named before anything runs; a run that fails is named, and made when it can be', () => {
    const wrong = join(folder, 'wrong');
    cpSync(own, wrong, { recursive: true });
    const images = join(wrong, 't10k-images-idx3-ubyte');
    const right = readFileSync(images);
    writeFileSync(images, right.subarray(0, 100));
    const command = [...asked, '--data-dir', wrong, '--runs', '1', '--out', 'wrong.jsonl'];
    const refused = run(command);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/DataError: .*t10k-images-idx3-ubyte/);
    expect(existsSync(join(folder, 'wrong.jsonl'))).toBe(false);
    // Pictures of 4 x 4 to test what trains on 5 x 4: each run fails by itself.
    writeFileSync(
      images,
      Buffer.concat([Buffer.from([0, 0, 8, 3, 0, 0, 0, 60, 0, 0, 0, 4, 0, 0, 0, 4]), right.subarray(16, 16 + 60 * 16)]),
    );
    const failed = run([...command, '--json']);
    expect(failed.code).toBe(1);
    const { runs, failed: named } = JSON.parse(failed.out);
    expect(runs).toBe(0);
    expect(named.map(({ key }: { key: string }) => key)).toEqual(keysOf(1).map((key) => key.replace(own, wrong)));
    for (const { error } of named) expect(error).toMatch(/^(Shape|Data)Error: .*expected/);
    writeFileSync(images, right);
    const made = run([...command, '--json']);
    expect(made.code, made.err).toBe(0);
    expect(JSON.parse(made.out)).toMatchObject({ runs: 2, failed: [] });
  });

  it('the package alone has what runs need; for a report it says what to install', () => {
    const packed = spawnSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
      encoding: 'utf8',
    });
    const files = (JSON.parse(packed.stdout)[0].files as { path: string }[]).map(({ path }) => path);
    const alone = mkdtempSync(join(tmpdir(), 'weightless-packed-'));
    for (const file of files.filter((path) => !path.startsWith('dist/types'))) {
      mkdirSync(join(alone, file, '..'), { recursive: true });
      cpSync(join(root, file), join(alone, file));
    }
    const program = join(alone, 'dist/cli.js');
    const command = [...asked, '--backend', 'auto', '--runs', '1', '--jobs', '1', '--out', 'packed.jsonl', '--json'];
    const early = run([...command, '--report', 'packed.html'], program);
    expect(early.code).toBe(1);
    expect(early.err).toMatch(
      /ExperimentError: report: expected the npm packages vega and vega-lite.*npm install vega@/,
    );
    expect(existsSync(join(folder, 'packed.jsonl'))).toBe(false);
    const made = run(command, program);
    expect(made.code, made.err).toBe(0);
    expect(JSON.parse(made.out).runs).toBe(2);
    appendFileSync(join(folder, 'packed.jsonl'), 'damaged\n');
    expect(run(command, program).err).toMatch(/ExperimentError: .*packed\.jsonl: expected a run as JSON in line 3/);
  });
});

describe('weightless train --keep best', () => {
  it('keeps the seed that is best on rows held out, and says the spread', () => {
    const command = ['train', '--backend', 'cpu', '--data-dir', own, '--units', '4', '--epochs', '2', '--batch', '16'];
    const best = ['--seeds', '5', '--keep', 'best', '--held-out', '40', '--out', join(folder, 'best.safetensors')];
    const { code, out, err } = run([...command, ...best, '--json']);
    expect(code, err).toBe(0);
    const { runs, choice } = JSON.parse(out);
    const validation: number[] = runs.map((run: TrainedRun) => (run.validation as ClassificationFigures).accuracy);
    const test: number[] = runs.map((run: { testAccuracy: number }) => run.testAccuracy);
    const at = validation.indexOf(Math.max(...validation));
    expect(new Set(validation).size).toBeGreaterThan(1);
    expect(choice).toMatchObject({ score: 'accuracy', seed: at, validation: validation[at], test: test[at] });
    expect(choice.gain).toBeCloseTo(test[at]! - test.reduce((a, b) => a + b) / 5, 12);
    expect([choice.lowestTest, choice.highestTest]).toEqual([Math.min(...test), Math.max(...test)]);
    for (const run of runs) expect(Math.abs(run.validation.rows - 40)).toBeLessThan(16); // by content: about so many
    expect(readModel(readFileSync(join(folder, 'best.safetensors'))).seed).toBe(at);
    expect(run([...command, ...best]).out).toMatch(
      new RegExp(
        `best: seed ${at} with .*\\nits test accuracy: .* points against the mean seed \\(seeds: .*\\)\\nmodel of seed ${at}: `,
      ),
    );
    expect(run([...command, '--keep', 'best']).err).toMatch(
      /DataError: train: expected several seeds to keep the best of/,
    );
    expect(run([...command, ...best, '--held-out', '120']).err).toMatch(
      /DataError: train: expected --held-out of at most 119/,
    );
  });
});

it('weightless train --shift trains on five times the images, a resumed training too', () => {
  const checkpoint = join(folder, 'shift.checkpoint');
  const command = ['train', '--backend', 'cpu', '--data-dir', own, '--units', '4', '--batch', '16', '--json'];
  const [plain, moved] = [[], ['--shift', '2']].map((options) => {
    const { code, out, err } = run([...command, '--epochs', '1', '--held-out', '0', ...options]);
    expect(code, err).toBe(0);
    return JSON.parse(out).runs[0];
  });
  expect(moved.history[0].loss).not.toBe(plain.history[0].loss);
  expect((moved.history[0].accuracy * 5 * 120) % 1).toBeCloseTo(0, 6);
  const spec = { data: own, network: 'dense classes', seed: 0, epochs: 1, shift: 2, validationRows: 20 };
  const images = dataSet({ features: new Uint8Array(120 * 12), shape: [3, 4], labels: new Uint32Array(120) });
  const parts = partsOf({ train: images, test: images }, runSpec(spec));
  expect([parts.train.rows, parts.validation!.rows, parts.test.rows]).toEqual([500, 20, 120]);
  expect(runSpec(spec).key).toContain(', 20 rows held out, shifted by 2 | seed 0');
  expect(run([...command, '--epochs', '1', '--shift', '2', '--checkpoint', checkpoint]).code).toBe(0);
  const other = run([...command, '--epochs', '1', '--checkpoint', checkpoint, '--resume']);
  expect(other.err).toMatch(/expected a checkpoint of the training .*got one of .*"shift":2/);
});
