/** `bench --kernel`: somebody else's shader read, filled, run in Node, timed and checked; wrong input refused by name. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { main } from '../bench/cli.ts';
import { contentsOf, readContents } from '../bench/kernel/data.ts';
import { expectUsed, type KernelOptions, planKernel } from '../bench/kernel/plan.ts';

const SAXPY = `
struct P { n: u32, a: f32 }
@group(0) @binding(0) var<uniform> p: P;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(1) @binding(0) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> unused: array<u32, 4>;
override T: u32 = 64;
fn f(i: u32) -> vec4f { return p.a * x[i]; }
@compute @workgroup_size(T) fn main(@builtin(global_invocation_id) i: vec3u) { if (i.x < p.n / 4u) { y[i.x] += f(i.x); } }`;
const options = (changes: Partial<KernelOptions> = {}): KernelOptions => ({
  grid: [1, 1, 1],
  sizes: { x: 8, y: 8 },
  values: { 'p.n': [32], 'p.a': [2.5] },
  constants: {},
  ...changes,
});

describe('a plan', () => {
  it('has the bindings that the entry point uses, in bytes, with the features that the code enables', () => {
    const { buffers, features, entry } = planKernel('k', `enable f16;\n${SAXPY}`, options());
    expect([entry, features]).toEqual(['main', ['shader-f16']]);
    expect(buffers.map(({ name, group, kind, bytes }) => [name, group, kind, bytes])).toEqual([
      ['p', 0, 'uniform', 16],
      ['x', 0, 'read-only-storage', 128],
      ['y', 1, 'storage', 128],
    ]);
  });
  it('fills structs, matrices with padded columns, halves and atomics as they lie in memory, and reads them back', () => {
    const { buffers } = planKernel(
      'k',
      `enable f16;
struct S { a: u32, m: mat2x3f, h: vec2<f16>, rest: array<vec3f> }
@group(0) @binding(0) var<storage, read_write> s: S;
@group(0) @binding(1) var<storage, read_write> n: array<atomic<i32>, 3>;
@compute @workgroup_size(1) fn main() { s.a = u32(atomicLoad(&n[0])); }`,
      options({ sizes: { s: 2 }, values: { 's.a': [7], 's.h': [0.5, -2], n: [1, -2, 3] } }),
    );
    const [s, n] = buffers.map((buffer) => contentsOf(buffer, 1));
    expect(buffers.map(({ bytes }) => bytes)).toEqual([96, 16]);
    expect(readContents(buffers[1]!, n!)).toEqual(Int32Array.of(1, -2, 3));
    const read = readContents(buffers[0]!, s!) as Record<string, Float32Array>;
    expect(read).toMatchObject({ a: 7, h: Float32Array.of(0.5, -2) });
    const floats = new Float32Array(s!.buffer);
    expect([...read.m!]).toEqual([4, 5, 6, 8, 9, 10].map((i) => floats[i]));
    expect([...read.rest!]).toEqual([16, 17, 18, 20, 21, 22].map((i) => floats[i]));
    expect([...read.m!, ...read.rest!].every((value) => value !== 0 && Math.abs(value) < 1)).toBe(true);
  });
  it.each([
    ['fn main( {', {}, /^k: expected WGSL/],
    ['fn main() {}', {}, /expected a @compute entry point, got none/],
    [SAXPY, { entry: 'other' }, /expected --entry to be one of main; got other/],
    [SAXPY, { sizes: { x: 8 } }, /expected --size y=ELEMENTS/],
    [SAXPY, { sizes: { x: 8, y: 8, z: 1 } }, /--size z: expected one of p, x, y/],
    [SAXPY, { values: { 'p.n': [1] } }, /expected --set p\.a=NUMBER, because it is a uniform \(f32\)/],
    [SAXPY, { values: { 'p.n': [1, 2], 'p.a': [1] } }, /--set p\.n: expected 1 numbers, got 2/],
    [SAXPY, { values: { 'p.n': [1], 'p.a': [1], q: [1] } }, /--set q: expected one of p\.n, p\.a, x, y/],
    [SAXPY, { constants: { U: 1 } }, /--constant U: expected one of T/],
    [
      '@group(0) @binding(0) var t: texture_2d<f32>; @compute @workgroup_size(1) fn main() { _ = textureLoad(t, vec2u(), 0); }',
      {},
      /expected only buffers, got t/,
    ],
  ])('%# is refused by name', (code, changes, message) => {
    const given = options(changes);
    expect(() => expectUsed([planKernel('k', code, given)], given)).toThrow(message);
  });
});

it('runs in Node against a reference, and a wrong result is an error', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weightless-kernel-'));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const right = file(
    'right.mjs',
    'export default ({ p, x, y }) => ({ y: y.map((v, i) => (i < p.n ? v + p.a * x[i] : v)) });',
  );
  const wrong = file('wrong.mjs', 'export default ({ x, y }) => ({ y: y.map((v, i) => v + 3 * x[i]) });');
  const kernel = file('saxpy.wgsl', SAXPY);
  const json = join(folder, 'rows.json');
  const out = vi.spyOn(console, 'log').mockImplementation(() => {});
  onTestFinished(() => out.mockRestore());
  const time = (reference: string, kernels = [kernel]) =>
    main([
      ...['--kernel', ...kernels, '--grid', '2', '--size', 'x=100', '--size', 'y=100', '--set', 'p.n=400'],
      ...['--set', 'p.a=2.5', '--runs', '2', '--node', '--json', json, '--reference', reference],
    ]);
  expect(await time(right)).toBe(0);
  const { environment, rows } = JSON.parse(readFileSync(json, 'utf8'));
  expect(environment).toMatchObject({ adapter: expect.any(String), date: expect.any(String), weightless: '0.2.0' });
  expect(rows).toMatchObject([{ engine: 'saxpy.wgsl', weights: 'main', verified: true, bytes: 3216 }]);
  expect(rows[0].samples).toHaveLength(2);
  expect(await time(wrong)).toBe(1);
  expect(out.mock.calls.at(-1)![0]).toContain('WRONG: y: at 0 got');
  const broken = file('broken.wgsl', SAXPY.replace('p.a * x[i]', 'p.a * x[i].q'));
  expect(await time(right, [broken, kernel])).toBe(1);
  expect(JSON.parse(readFileSync(json, 'utf8')).rows).toMatchObject([
    { engine: 'broken.wgsl', verified: false, error: expect.stringMatching(/^ShaderError: broken\.wgsl:8:\d+: /) },
    { engine: 'saxpy.wgsl', verified: true },
  ]);
}, 60_000);
