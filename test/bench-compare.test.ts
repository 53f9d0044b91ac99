/** Two runs of the bench compared: verdicts only beyond the spread, and files that are no runs refused by name. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../bench/cli.ts';
import { changes, comparison, differences, parseRun, type Run } from '../bench/compare.ts';
import { buildRows } from '../bench/rows.ts';

const run = (samples: Record<string, number[]>, environment = {}): Run => ({
  environment,
  rows: buildRows(
    Object.entries(samples).map(([weights, samples]) => ({
      task: 'forward',
      engine: 'weightless',
      weights,
      peer: false,
      m: 1,
      k: 4,
      n: 4,
      samples,
      calls: 1,
      verified: true,
    })),
  ),
});

describe('two runs', () => {
  const before = run({ binary: [4, 4.2, 4.4], normal: [9, 10, 11], sparse: [5, 6, 7], gone: [1] });
  const after = run({ binary: [2, 2.1, 2.2], normal: [9.5, 10.5, 11.5], sparse: [9, 10, 11], added: [1] });
  it('differ where the quartiles of their samples do not overlap', () => {
    const { changed, onlyA, onlyB } = changes(before, after);
    expect(changed.map(({ name, verdict }) => [name.split(' ').at(-1), verdict])).toEqual([
      ['binary', 'faster'],
      ['sparse', 'slower'],
      ['normal', 'no difference beyond the spread'],
    ]);
    expect(changed[0]).toMatchObject({ before: '4.20 ms', after: '2.10 ms', ratio: 2 });
    expect(changed[0]!.range![0]).toBeCloseTo(4.1 / 2.15);
    expect(changed[0]!.range![1]).toBeCloseTo(4.3 / 2.05);
    expect([onlyA, onlyB]).toEqual([['forward 1x4x4 weightless gone'], ['forward 1x4x4 weightless added']]);
  });
  it('of which one has only summaries, as earlier versions wrote them, compare as well', () => {
    const rows = before.rows.map(({ samples, ...row }) => ({ ...row, samples: samples!.length as never }));
    expect(changes({ environment: {}, rows }, after).changed.map(({ verdict }) => verdict)).toEqual([
      'faster',
      'slower',
      'no difference beyond the spread',
    ]);
  });
  it('say that their conditions differ, and count the verdicts', () => {
    const elsewhere = { ...after, environment: { adapter: 'nvidia', cores: 2 } };
    expect(differences({ ...before, environment: { adapter: 'amd', cores: 2 } }, elsewhere)).toEqual([
      'adapter: amd; nvidia',
    ]);
    expect(comparison(before, after)).toContain('in both runs: 1 faster, 1 slower, 1 no difference beyond the spread');
  });
  it('compare bytes exactly, and no time of a wrong result', () => {
    const row = { task: 'memory', engine: 'weightless', weights: 'binary', peer: false, unit: 'bytes held' };
    const memory = (value: number): Run => ({ environment: {}, rows: [{ ...row, value }] });
    expect(changes(memory(1000), memory(2000)).changed).toMatchObject([{ ratio: 0.5, verdict: 'larger' }]);
    expect(changes(memory(1000), memory(1000)).changed).toMatchObject([{ ratio: 1, verdict: 'the same' }]);
    const wrong = { ...after, rows: after.rows.map((row) => ({ ...row, verified: false })) };
    expect(changes(before, wrong).changed).toEqual([]);
  });
});

describe('files', () => {
  it.each([
    ['{', /expected JSON that/],
    ['[]', /expected an object with 'environment' and 'rows'/],
    ['{"environment":{},"rows":[{"task":"forward"}]}', /row 1: expected task, engine/],
    ['{"environment":{},"rows":[{"task":"a","engine":"b","weights":"c","samples":[1,null]}]}', /row 1/],
    ['{"environment":{},"rows":[{"task":"a","engine":"b","weights":"c","ms":{"min":-1}}]}', /row 1/],
  ])('%s is refused by name', (text, message) => {
    expect(() => parseRun('a.json', text)).toThrow(message);
  });
  it('are read, two of them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'weightless-compare-'));
    const path = join(folder, 'a.json');
    writeFileSync(path, JSON.stringify(run({ binary: [1, 2] })));
    const out = vi.spyOn(console, 'log').mockImplementation(() => {});
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => void [out.mockRestore(), said.mockRestore()]);
    expect(await main(['--compare', path, path])).toBe(0);
    expect(out.mock.calls[0]![0]).toContain('1 no difference beyond the spread');
    expect(await main(['--compare', path])).toBe(1);
    expect(await main(['--compare', path, join(folder, 'missing.json')])).toBe(1);
    expect(said.mock.calls.map(([line]) => line)).toEqual([
      expect.stringMatching(/^bench: DataError: --compare: expected two files, got 1/),
      expect.stringMatching(/^bench: DataError: .*missing\.json: expected a file, could not read it: ENOENT/),
    ]);
  });
});
