/** `bench --gpu-report`: what it writes, from a target that measures nothing. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../bench/cli.ts';
import { writeReport } from '../bench/gpu-report.ts';
import type { Target } from '../bench/target.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightless-gpu-report-'));
const [json, page] = [join(folder, 'report.json'), join(folder, 'report.html')];
const rowOf = (task: string, m: number) => ({
  task,
  engine: 'weightless',
  weights: 'normal',
  peer: false,
  m,
  k: 4,
  n: 4,
});

const target = (passed: boolean, verified: boolean): Target => ({
  environment: async () => ({ adapter: 'a card', software: false }),
  runConformance: async () =>
    ({
      passed,
      findings: [{ name: 'a check', exact: true, cases: 3, kernels: [], wrong: passed ? [] : ['at 0 got 1, want 2'] }],
      digest: '8952be975fd42eb1aaaa',
    }) as never,
  runMicro: async () => ({ ceilings: { gbps: 10, gmacs: 20 }, rows: [] }),
  runTask: async (task) =>
    task.kind === 'forward' && task.kernels
      ? []
      : [{ ...rowOf('forward', 8), samples: [1, 2], calls: 1, verified, ...(!verified && { error: 'wrong' }) }],
  runKernels: async () => [],
  runMemory: async () => [],
  runFirst: async () => [],
  close: async () => {},
});

it.each([
  [true, true, 0],
  [false, true, 1],
  [true, false, 1],
])('conformance %s, results right %s: exit code %s, and the report says so', async (passed, verified, code) => {
  const [out, said] = [vi.spyOn(console, 'log'), vi.spyOn(console, 'error')].map((spy) =>
    spy.mockImplementation(() => {}),
  );
  onTestFinished(() => void [out!.mockRestore(), said!.mockRestore()]);
  expect(await writeReport(target(passed, verified), { json, page, quick: true })).toBe(code);
  const report = JSON.parse(readFileSync(json, 'utf8'));
  expect(report).toMatchObject({
    environment: { adapter: 'a card', ceilings: { gbps: 10, gmacs: 20 }, date: expect.any(String) },
    conformance: { passed },
    tuning: { kind: 'gpu', changes: [] },
  });
  expect(report.rows[0]).toMatchObject({ samples: [1, 2], ms: { min: 1 } });
  const first = passed
    ? 'the device conforms: 3 cases, weights and integer sums 8952be975fd42eb1'
    : 'the device DOES NOT CONFORM';
  expect(report.findings[0]).toBe(first);
  if (!passed) expect(report.findings[1]).toBe('a check: at 0 got 1, want 2');
  expect(readFileSync(page, 'utf8')).toContain(first);
});

it('a folder that cannot be is refused before any work', async () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  onTestFinished(() => said.mockRestore());
  expect(await main(['--gpu-report', '/dev/null/report'])).toBe(1);
  expect(said.mock.calls).toEqual([[expect.stringMatching(/^bench: WriteError: .*expected a folder/)]]);
});
