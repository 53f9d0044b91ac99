/** The card in a model file that `train` writes: what it says, what it leaves out, and that a resumed training writes the same. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cardOf } from '../src/model/preparation-metadata.ts';
import { readModel } from '../src/model/safetensors.ts';
import { dataHash, today, trainingCommand } from '../tools/cli/train-card.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightless-card-'));
mkdirSync(join(folder, 'table'));
const rows = Array.from({ length: 60 }, (_, i) => `${i % 20},${i % 7},${i % 20 < 10 ? 'low' : 'high'}`);
writeFileSync(join(folder, 'table/train.csv'), `a,b,kind\n${rows.join('\n')}\n`);
const cli = join(import.meta.dirname, '../dist/cli.js');

function train(args: string[], env: NodeJS.ProcessEnv = {}) {
  const all = [
    'train',
    '--data-dir',
    './table',
    '--units',
    '8',
    '--epochs',
    '2',
    '--backend',
    'cpu',
    '--json',
    ...args,
  ];
  const options = { encoding: 'utf8', cwd: folder, env: { ...process.env, ...env } } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...all], options);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout);
}
const file = (name: string) => readFileSync(join(folder, name));

describe('the command', () => {
  it.each([
    [['train', '--data', 'mnist', '--units', '64'], 'weightless train --data mnist --units 64'],
    [['train', '--data-dir', '/home/ann/secret/mill'], 'weightless train --data-dir mill'],
    [['train', '--data-dir=../mill', '--label', 'a b'], "weightless train --data-dir=mill --label 'a b'"],
    [
      ['train', '--out', 'a.safetensors', '--checkpoint=c', '--report', 'r.html', '--resume', '--json', '--seed', '3'],
      'weightless train --seed 3',
    ],
    [['train', '--layers', 'half 8, dense 2'], "weightless train --layers 'half 8, dense 2'"],
  ])('%j keeps what decides the model, and no folder', (words, text) => {
    expect(trainingCommand(words)).toBe(text);
  });
});

it('the day is that of SOURCE_DATE_EPOCH where it is a number', () => {
  expect(today({ SOURCE_DATE_EPOCH: '86400' })).toBe('1970-01-02');
  const now = new Date().toISOString().slice(0, 10);
  expect([now, new Date().toISOString().slice(0, 10)]).toContain(today({ SOURCE_DATE_EPOCH: 'soon' }));
});

it('the hash is that of the rows as the model gets them', () => {
  const data = { features: Float32Array.of(1, 2), labels: Uint32Array.of(0, 1) };
  expect(dataHash(data)).toMatch(/^[0-9a-f]{64}$/);
  expect(dataHash({ ...data, features: new Float32Array([0, 1, 2]).subarray(1) })).toBe(dataHash(data));
  expect(dataHash({ ...data, labels: Uint32Array.of(1, 0) })).not.toBe(dataHash(data));
  expect(dataHash({ ...data, targets: Float32Array.of(1) })).not.toBe(dataHash(data));
});

it('a file says where it comes from, as inspect --card writes; a resumed training writes the same bytes; --no-card leaves it out', () => {
  const { runs } = train(['--out', 'a.safetensors', '--checkpoint', 'c.safetensors'], { SOURCE_DATE_EPOCH: '0' });
  expect(runs[0].modelBytes).toBe(file('a.safetensors').length);
  const card = cardOf(readModel(file('a.safetensors')))!;
  expect(card).toMatchObject({
    data: { name: 'table', rows: expect.any(Number), sha256: expect.stringMatching(/^\w{64}$/) },
    command: 'weightless train --data-dir table --units 8 --epochs 2 --backend cpu',
    seed: '0',
    date: '1970-01-01',
    heldOut: { rows: runs[0].test.rows },
  });
  const figures = Object.fromEntries(card.heldOut!.figures.map(({ name, value }) => [name, value]));
  expect(figures.accuracy).toBe(Number(runs[0].testAccuracy.toPrecision(4)));
  expect(figures['cross-entropy']).toBe(Number(runs[0].test.loss.toPrecision(4)));
  const shown = spawnSync(process.execPath, [cli, 'inspect', 'a.safetensors', '--card', 'CARD.md'], { cwd: folder });
  expect(shown.status).toBe(0);
  const written = file('CARD.md').toString();
  expect(written).toMatch(/^# a\.safetensors\n/);
  for (const line of [
    `| data | table, ${card.data.rows} rows, SHA-256 ${card.data.sha256} |`,
    `| command | ${card.command} |`,
    '| date | 1970-01-01 |',
    `## Figures on ${card.heldOut!.rows} held-out rows`,
    `| accuracy | ${figures.accuracy} |`,
    '| classes | high, low |',
  ]) {
    expect(written).toContain(line);
  }
  train(['--out', 'b.safetensors', '--checkpoint', 'c.safetensors', '--resume']);
  expect(file('b.safetensors')).toEqual(file('a.safetensors'));
  rmSync(join(folder, 'c.safetensors'));
  train(['--out', 'plain.safetensors', '--no-card']);
  expect(existsSync(join(folder, 'plain.safetensors'))).toBe(true);
  expect(cardOf(readModel(file('plain.safetensors')))).toBeUndefined();
});
