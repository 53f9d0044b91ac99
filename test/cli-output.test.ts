/** What the command line writes, and what it does where that fails: dist/cli.js in a process of its own. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readModel } from '../src/model/safetensors.ts';
import { fileOf, hostile } from './hostile-text.ts';
import { writeStripedImages } from './striped-images.mjs';

const cli = join(import.meta.dirname, '../dist/cli.js');
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'weightless-output-')));
const own = join(folder, 'own');
const model = join(folder, 'model.safetensors');
const training = ['train', '--backend', 'cpu', '--data-dir', own, '--units', '4', '--epochs', '2', '--batch', '16'];
const unsafe = /[^\P{Cc}\n]|[\p{Cf}\p{Cs}]/u;

function run(args: readonly string[], cwd = folder) {
  const made = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', cwd, timeout: 60_000 });
  return { code: made.status, out: made.stdout, err: made.stderr };
}

const shell = (line: string) => spawnSync('bash', ['-c', line], { encoding: 'utf8', cwd: folder, timeout: 60_000 });

beforeAll(() => {
  writeStripedImages(own, 120);
  const { code, err } = run([...training, '--out', model]);
  expect(code, err).toBe(0);
});

describe('targets', () => {
  it.each([
    ['--out', 'missing/m.safetensors', /expected an existing folder missing, found none\. Create it/],
    ['--out', 'own', /expected a file, got a folder/],
    ['--out', '', /expected the name of a file, got an empty one/],
    ['--checkpoint', 'missing/c', /expected an existing folder missing, found none/],
    ['--checkpoint', '/dev/full', /expected a file for the checkpoint, got a device or a pipe/],
  ])('train %s %j is refused before any work', (option, path, message) => {
    const { code, err } = run([...training, option, path]);
    expect(code).toBe(1);
    expect(err).toMatch(/^WriteError: /);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/epoch|\n {4}at /);
  });

  it('train --out on a full disk keeps the result, and says where', () => {
    const { code, err } = run([...training, '--out', '/dev/full']);
    expect(code).toBe(1);
    expect(err).toMatch(/WriteError: \/dev\/full: could not write there: no space is left on the device/);
    const [, kept] = /The result is in (.*)\.\n$/.exec(err)!;
    expect(readFileSync(kept!)).toEqual(readFileSync(model));
    rmSync(join(kept!, '..'), { recursive: true });
  });

  it('a device is written to, and a file keeps its mode', () => {
    expect(run([...training, '--out', '/dev/null']).code).toBe(0);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    const file = join(folder, 'private.safetensors');
    writeFileSync(file, '');
    chmodSync(file, 0o640);
    expect(run([...training, '--out', file]).code).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readModel(readFileSync(file)).seed).toBe(0);
  });

  it('export refuses what it can not write, and the model itself', () => {
    for (const option of ['--onnx', '--numpy-check']) {
      expect(run(['export', model, option, 'missing/x']).err).toMatch(/^WriteError: missing\/x: .*existing folder/);
      const before = readFileSync(model);
      expect(run(['export', model, option, model]).err).toMatch(/^WriteError: .*got the model itself/);
      expect(readFileSync(model)).toEqual(before);
      const full = run(['export', model, option, '/dev/full']);
      expect([full.code, full.err]).toEqual([1, expect.stringMatching(/The result is in /)]);
    }
  });

  it('experiment refuses a results file or a report that it can not write, before any run', () => {
    writeFileSync(join(folder, 'a-file'), '');
    const experiment = ['experiment', 'paper', '--data-dir', own, '--backend', 'cpu', '--only', 'half 128 normal'];
    for (const [options, message] of [
      [['--out', 'a-file/x.jsonl'], /^WriteError: a-file\/x\.jsonl: /],
      [['--out', own], /^WriteError: .*expected a file, got a folder/],
      [['--report', own, '--out', 'fresh.jsonl'], /^WriteError: .*expected a file, got a folder/],
    ] as const) {
      const { code, err } = run([...experiment, ...options]);
      expect([code, err]).toEqual([1, expect.stringMatching(message)]);
    }
    expect(existsSync(join(folder, 'fresh.jsonl'))).toBe(false);
  });
});

it.each([
  [['inspect', '/dev/zero'], /^ModelFileError: /m],
  [['eval', '/dev/zero', '--data-dir', own], /^ModelFileError: /m],
  [
    ['predict', model, '/dev/zero'],
    /^DataError: \/dev\/zero: expected at most 67108864 bytes from a device or a pipe/m,
  ],
])('%j reads no endless file', (command, message) => {
  const { code, err } = run(command);
  expect([code, err]).toEqual([1, expect.stringMatching(message)]);
});

it('a training is resumed by any path of its data, and refused by what differs', () => {
  const checkpoint = ['--checkpoint', join(folder, 'c'), '--json'];
  expect(run([...training, ...checkpoint]).code).toBe(0);
  const by = (path: string, cwd = folder, more: string[] = []) => {
    const args = training.map((word) => (word === own ? path : word));
    return run([...args, ...checkpoint, '--resume', ...more], cwd);
  };
  for (const [path, cwd] of [
    [relative(folder, own), folder],
    ['.', own],
    ['./own/', folder],
  ] as const) {
    const { code, err } = by(path, cwd);
    expect(code, err).toBe(0);
  }
  expect(by(own, folder, ['--seed', '1']).err).toMatch(/of the training \{"seed":1\}, got one of \{"seed":0\}/);
});

describe('stdout', () => {
  it('that can not be written is an error; a reader that leaves is none', () => {
    for (const command of [`inspect ${model}`, `inspect ${model} --json`, 'weights', '--help', 'train --help']) {
      const full = shell(`${process.execPath} ${cli} ${command} > /dev/full`);
      expect([full.status, full.stderr], command).toEqual([
        1,
        expect.stringMatching(/^stdout: could not write the output: ENOSPC: no space left on device/),
      ]);
    }
    const weights = `${process.execPath} ${cli} weights --inputs 0:4000 --units 0:64`;
    const gone = shell(`{ ${weights}; echo "code $?" >&2; } | head -n 1`);
    expect([gone.status, gone.stderr]).toEqual([0, 'code 0\n']);
  });
});

describe('text from files', () => {
  const layers = JSON.stringify([{ kind: 'half', units: 2, weights: 'normal', activation: 'relu', trained: true }]);
  const base = { format_version: '1', stream_version: '1', seed: '0', input: '[2]', layers };
  const write = (name: string, header: object) => {
    const file = join(folder, name);
    writeFileSync(file, fileOf(header));
    return file;
  };

  it('reaches no terminal: of metadata, tensors, layers and classes, as text and as JSON', () => {
    const files = [
      write('format', { __metadata__: { ...base, format: hostile } }),
      write('tensor', { __metadata__: { ...base, format: 'weightless' }, [hostile]: {} }),
      write('long', { __metadata__: { ...base, format: 'x'.repeat(900_000) } }),
    ];
    for (const file of files) {
      const { code, out, err } = run(['inspect', file]);
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/^ModelFileError: /);
      expect(err).not.toMatch(unsafe);
      expect(err.length).toBeLessThan(5000);
    }
  });

  it('class names of CSV data show as escapes in tables, and as they are in JSON', () => {
    const data = join(folder, 'csv');
    spawnSync('mkdir', [data]);
    const rows = (n: number) =>
      Array.from({ length: n }, (_, i) => `${i % 7},${i % 2},${i % 2 ? `a${hostile.replace('\u202e', '')}` : 'b'}`);
    for (const name of ['train.csv', 'test.csv']) {
      writeFileSync(join(data, name), `x,y,label\n${rows(name === 'train.csv' ? 60 : 20).join('\n')}\n`);
    }
    const file = join(folder, 'csv.safetensors');
    const csv = ['--data-dir', data, '--backend', 'cpu'];
    const trained = run(['train', ...csv, '--units', '4', '--epochs', '1', '--batch', '8', '--out', file]);
    expect(trained.code, trained.err).toBe(0);
    const shown = [trained, run(['eval', file, ...csv]), run(['predict', file, join(data, 'test.csv'), ...csv])];
    const json = run(['eval', file, ...csv, '--json']);
    for (const { code, out, err } of [...shown, json]) {
      expect(code, err).toBe(0);
      expect(out + err).not.toMatch(unsafe);
    }
    expect(shown[1]!.out).toContain('\\u001b]0;owned\\u0007');
    const { classes } = JSON.parse(json.out) as { classes: { name: string }[] };
    expect(classes.map(({ name }) => name).some((name) => name.startsWith('a\u001b]0;owned'))).toBe(true);
  });
});
