/** The conformance run itself: on this runtime's device (Node: Dawn; Deno: wgpu), and on one that computes wrong. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Group } from '../src/conformance/case.ts';
import type { Report } from '../src/conformance/conformance.ts';
import { conformance, wantedDigest } from '../src/conformance/conformance.ts';
import { covered, exactGroups, roundingGroups } from '../src/conformance/groups.ts';
import { freshContext, testContext } from './gpu.ts';

const wrongOf = ({ findings }: Report) =>
  findings.flatMap(({ name, wrong }) => wrong.map((line) => `${name}: ${line}`));

/** The file stem of the kernel that an operation is named after. */
const stemOf = (op: string) => op.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

it('every operation has cases, and they run its kernel', () => {
  const all = new Set([...exactGroups, ...roundingGroups]);
  const ran = new Map<Group, Set<string>>();
  const anyBuffer = new Proxy({}, { get: (_, name) => name }) as never;
  for (const [op, groups] of Object.entries(covered)) {
    for (const group of groups) {
      expect(all).toContain(group);
      if (ran.has(group)) continue;
      const dispatches = group.cases().flatMap(({ dispatch }) => dispatch(anyBuffer));
      ran.set(group, new Set(dispatches.map(({ source }) => source.name)));
    }
    expect(groups.flatMap((group) => [...ran.get(group)!])).toContain(stemOf(op));
  }
});

/** Rows of the table that `npm run conformance-table` prints, as docs/trust.md has them. */
function conformanceRows() {
  const text = readFileSync(new URL('../docs/trust.md', import.meta.url), 'utf8');
  const rows = text.matchAll(/^\| (\S[^|]*) \| [^|]+ \| ([^|]+) \| (\d+) \| (\d+) \| ([0-9a-f]{16}) \|$/gm);
  return [...rows].map(([, runtime = '', driver = '', cases, failed, digest]) => ({
    runtime,
    driver,
    cases: Number(cases),
    failed: Number(failed),
    digest,
  }));
}

it('this device conforms: every kernel is its twin, weights and integer sums bit for bit', async () => {
  const report = await conformance(await testContext());
  expect(wrongOf(report)).toEqual([]);
  expect(report.passed).toBe(true);
  expect(report.digest).toBe(await wantedDigest());
  const ran = new Set(report.findings.flatMap(({ kernels }) => kernels));
  const stems = readdirSync(new URL('../kernels', import.meta.url)).flatMap(
    (name) => name.match(/^(.*)\.wgsl$/)?.[1] ?? [],
  );
  const missing = report.findings.flatMap(({ missing }) => missing ?? []);
  expect(missing).toEqual(report.features.includes('shader-f16') ? [] : ['shader-f16']);
  const offered = missing.length ? stems.filter((stem) => stem !== 'random_matmul_f16') : stems;
  expect([...ran].sort()).toEqual(offered.sort());
  // docs/trust.md has the table of the last release, made by `npm run conformance-table`. It may lack later cases, which
  // change the digest.
  const recorded = conformanceRows();
  for (const runtime of ['Node.js', 'Deno', 'Chrome', 'Firefox']) {
    expect(recorded.some((row) => row.runtime.startsWith(runtime))).toBe(true);
  }
  for (const { failed, digest } of recorded) expect([failed, digest]).toEqual([0, recorded[0]!.digest]);
}, 400_000);

it('a device with a wrong stream does not, and what differs is named', async () => {
  const context = await freshContext();
  const { device } = context;
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) =>
    create({ ...descriptor, code: descriptor.code.replace('0x735a2d97u', '0x735a2d99u') });
  const [weights, losses] = [
    await conformance(context, { filter: 'weights' }),
    await conformance(context, { filter: 'losses' }),
  ];
  context.dispose();
  expect([weights.passed, losses.passed]).toEqual([false, true]);
  expect(weights.findings[0]!.wrong[0]).toMatch(/^normal seed .*: out: at \d+ got -?\d+, want -?\d+$/);
});

it('a kernel that does not compile is named, and the rest is run', async () => {
  const context = await freshContext();
  const { device } = context;
  const create = device.createShaderModule.bind(device);
  device.createShaderModule = (descriptor) =>
    create(descriptor.label === 'sgd' ? { ...descriptor, code: `${descriptor.code}\nlet broken` } : descriptor);
  const report = await conformance(context, { filter: 'optimizers' });
  context.dispose();
  expect(report.passed).toBe(false);
  expect(wrongOf(report)).toEqual([expect.stringMatching(/^optimizers: sgd: ShaderError: kernel sgd did not compile/)]);
  expect(report.findings[0]!.kernels).toEqual(['adam']);
});
