/** The conformance run itself: on this runtime's device (Node: Dawn; Deno: wgpu), and on one that computes wrong. */
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { Report } from '../src/conformance/conformance.ts';
import { conformance, wantedDigest } from '../src/conformance/conformance.ts';
import { freshContext, testContext } from './gpu.ts';

const wrongOf = ({ findings }: Report) =>
  findings.flatMap(({ name, wrong }) => wrong.map((line) => `${name}: ${line}`));

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
