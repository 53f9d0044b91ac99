/** Reading WGSL: what the build checks, what the run time reads, and that every linked kernel compiles without a warning. */
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readShortWgsl, readWgsl, squeeze } from '../scripts/wgsl.mjs';
import { fragments } from '../shaders/index.ts';
import { bindingsOf, paramsOf } from '../src/core/kernel-source.ts';
import { linkKernel, provideWeights } from '../src/gpu/pipelines.ts';
import { elementwiseNames } from '../src/weights/distributions.ts';
import { testContext } from './gpu.ts';

const root = join(import.meta.dirname, '..');
const stems = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.wgsl'))
    .map((name) => name.slice(0, -'.wgsl'.length));
const kernels = stems('kernels');

/** A tree with one kernel and one fragment of the given text, read. */
function read({
  kernel,
  fragment = 'fn f() -> u32 { return 1u; }',
  included = 'fn g() -> u32 { return 2u; }',
}: {
  kernel: string;
  fragment?: string;
  included?: string;
}) {
  const folder = mkdtempSync(join(tmpdir(), 'wgsl-'));
  for (const name of ['kernels', 'shaders', 'shaders/include']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'shaders/f.wgsl'), fragment);
  writeFileSync(join(folder, 'shaders/include/g.wgsl'), included);
  writeFileSync(join(folder, 'kernels/k.wgsl'), kernel);
  readWgsl(join(folder, 'shaders/f.wgsl'));
  return readWgsl(join(folder, 'kernels/k.wgsl'));
}

const bindings = `struct Params {
  m: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params; // params: sizes
@group(0) @binding(1) var<storage, read> x: array<f32>; // x: (M) f32
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // y: (M) f32
`;
const main = '@compute @workgroup_size(64) fn main() { y[0] = x[0] * params.scale * f32(f() * params.m); }';
const good = `//! use f\n${bindings}${main}`;

describe('readWgsl', () => {
  it('reads name, fragments, bindings, parameters', () => {
    const made = read({ kernel: good });
    expect(made).toMatchObject({ name: 'k', uses: ['f'] });
    expect(made.bindings).toEqual([
      { name: 'params', type: 'uniform' },
      { name: 'x', type: 'read-only-storage' },
      { name: 'y', type: 'storage' },
    ]);
    expect(made.params).toEqual([
      ['m', 'u32'],
      ['scale', 'f32'],
    ]);
  });

  it('takes what is included into the kernel itself', () => {
    const kernel = good.replace('//! use f', '//! use f\n//! include g').replace('f32(f()', 'f32(f() * g()');
    const made = read({ kernel });
    expect(made.uses).toEqual(['f']);
    expect(made.code).toMatch(/^fn g\(\)->u32\{return 2u;\}\nstruct Params/);
    expect(made.params).toHaveLength(2);
    const included = 'fn g() -> u32 {\n  let x = = 1u;\n  return x;\n}';
    expect(() => read({ kernel, included })).toThrow(/g\.wgsl:2: does not parse/);
  });

  it.each([
    [
      'an included fragment that is not there',
      good.replace('//! use f', '//! include h'),
      /k\.wgsl:1: no shader fragment 'h'/,
    ],
    ['a fragment that is not there', good.replace('use f', 'use g'), /k\.wgsl:1: no shader fragment 'g'/],
    [
      'a gap in the bindings',
      good.replace('@binding(2)', '@binding(3)'),
      /k\.wgsl:9: expected @group\(0\) @binding\(2\)/,
    ],
    [
      'another group',
      good.replace('@group(0) @binding(1)', '@group(1) @binding(1)'),
      /k\.wgsl:8: expected @group\(0\)/,
    ],
    [
      'a binding without its comment',
      good.replace(' // x: (M) f32', ''),
      /k\.wgsl:8: binding 'x' needs a trailing comment/,
    ],
    [
      'no entry point',
      good.replace('@compute @workgroup_size(64) ', ''),
      /expected one compute entry point 'main', got none/,
    ],
    ['another entry point', good.replace('fn main', 'fn other'), /got other/],
    [
      'a vector among the parameters',
      good.replace('scale: f32', 'scale: vec2f'),
      /params\.scale: expected u32, i32 or f32/,
    ],
    ['a size that is no number', good.replace('size(64)', 'size(SIZE)'), /workgroup_size of literal numbers/],
    ['no WGSL', good.replace('y[0] =', 'y[0] = ='), /k\.wgsl:10: does not parse/],
  ])('refuses %s', (_, kernel, message) => {
    expect(() => read({ kernel })).toThrow(message);
  });

  it('names the fragment, and the line in it, that does not parse', () => {
    const fragment = 'fn f() -> u32 {\n  /* of\n two lines */\n  let x = = 1u;\n  return x;\n}';
    expect(() => read({ kernel: good, fragment })).toThrow(/f\.wgsl:4: does not parse/);
  });

  it('refuses a fragment with a binding or an entry point', () => {
    for (const fragment of [bindings, '@compute @workgroup_size(1) fn main() {}']) {
      expect(() => read({ kernel: good, fragment })).toThrow(/a shader fragment has no entry point and no binding/);
    }
  });
});

describe('squeeze', () => {
  it('takes out comments, nested ones too, and blanks', () => {
    expect(squeeze('let a = 1u; // one\n/* two /* three */ four */ let  b = a / 2u;')).toBe('let a=1u;let b=a/2u;');
    expect(squeeze('a /* x // y\n */ b // c /* d\ne')).toBe('a\nb\ne');
    expect(squeeze('fn f(\n  a: u32,\n) -> u32 {\n  return a;\n}')).toBe('fn f(a:u32)->u32{return a;}');
  });

  it('makes no other token of two operators', () => {
    expect(squeeze('let a = b / *p;')).toBe('let a=b/ *p;');
    expect(squeeze('let a = b & &c;')).toBe('let a=b& &c;');
    expect(squeeze('let a = b - -c;')).toBe('let a=b - -c;');
  });
});

describe('kernels', () => {
  it.each(kernels)('%s: the run time reads what wgsl_reflect reads', (stem) => {
    const made = readWgsl(join(root, `kernels/${stem}.wgsl`));
    expect(bindingsOf(made)).toEqual(made.bindings);
    expect(paramsOf(made)).toEqual(made.params);
    expect(made.bindings!.length).toBeGreaterThan(1);
  });

  it.each(kernels)('%s has a twin, and a .ts beside it', (stem) => {
    const twin = stem.replace(
      /^(random_matmul|matmul)_(rows|split|wide|sign_sums|sign_sums_rows|u8|u8_rows|bit_planes|f16|staged)$/,
      '$1',
    );
    if (stem !== 'random_weights') expect(readdirSync(join(root, 'src/reference'))).toContain(`${twin}.ts`); // its twin is the stream
    expect(readdirSync(join(root, 'kernels'))).toContain(`${stem}.ts`);
  });

  it('all fragments are in the index', () => {
    expect(Object.keys(fragments).sort()).toEqual(stems('shaders').sort());
  });

  it('compile without a warning, with every distribution', async () => {
    const { device } = await testContext();
    for (const stem of kernels) {
      const source = readWgsl(join(root, `kernels/${stem}.wgsl`));
      for (const weights of source.uses.includes('weights') ? elementwiseNames : [undefined]) {
        await provideWeights(weights);
        const lacks = source.uses.includes('half') && !device.features.has('shader-f16');
        if (lacks) device.pushErrorScope('validation');
        const module = device.createShaderModule({ code: linkKernel(source, weights) });
        const { messages } = await module.getCompilationInfo();
        if (lacks) {
          expect((await device.popErrorScope())?.message).toMatch(/f16/); // refused by its name, and by nothing else
          continue;
        }
        expect(messages.map(({ message }) => `${stem} ${weights}: ${message}`)).toEqual([]);
      }
    }
  });

  /** Identifiers that are not members, in order; and the text between them. */
  const tokens = (code: string) => code.match(/(?<![.@\w])[A-Za-z_]\w*/g)!;
  const between = (code: string) => code.split(/(?<![.@\w])[A-Za-z_]\w*/);
  const files = [
    ...kernels.map((stem) => `kernels/${stem}.wgsl`),
    ...stems('shaders').map((stem) => `shaders/${stem}.wgsl`),
  ];

  it.each(files)('%s with short names, as bundles have it, is the same but for one-to-one names', (file) => {
    const [long, short] = [readWgsl(join(root, file)), readShortWgsl(join(root, file))];
    expect(between(short.code)).toEqual(between(long.code));
    const [there, back] = [new Map<string, string>(), new Map<string, string>()];
    tokens(long.code).forEach((name, i) => {
      const given = tokens(short.code)[i]!;
      expect([there.get(name) ?? given, back.get(given) ?? name]).toEqual([given, name]);
      there.set(name, given);
      back.set(given, name);
    });
    expect(bindingsOf(short)).toEqual(bindingsOf(long));
    expect(paramsOf(short)).toEqual(paramsOf(long));
    const overrides = (code: string) => [...code.matchAll(/override (\w+)/g)].map(([, name]) => name);
    expect(overrides(short.code)).toEqual(overrides(long.code));
  });

  it('compile with short names, with every distribution', async () => {
    const { device } = await testContext();
    const code = (file: string) => readShortWgsl(join(root, file)).code;
    for (const stem of kernels) {
      const { uses } = readWgsl(join(root, `kernels/${stem}.wgsl`));
      for (const weights of uses.includes('weights') ? elementwiseNames : ['']) {
        const parts = uses.map((use) => code(`shaders/${use === 'weights' ? weights : use}.wgsl`));
        const whole = [...parts, code(`kernels/${stem}.wgsl`)].join('\n');
        device.pushErrorScope('validation');
        const module = device.createShaderModule({ code: whole });
        device.popErrorScope().catch(() => {});
        const { messages } = await module.getCompilationInfo();
        const told = messages.map(({ message }) => `${stem} ${weights}: ${message}`);
        // A device without f16 refuses the directive, and says nothing else of the text.
        const refused = /enable f16/.test(whole) && !device.features.has('shader-f16');
        expect(told).toEqual(refused ? [expect.stringContaining("'f16' is not allowed")] : []);
      }
    }
  });
});
