/** The packed package in an empty folder: its files, its types, and its use in Node by `import` and by `require()`. */
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { failure, packed, root, run } from './package/packed.ts';

const { exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** Entry points with types, as they are imported. */
const entries = Object.keys(exports)
  .filter((name) => exports[name].types)
  .map((name) => name.replace('.', 'weightless-gpu'));
const STRING = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`/g;
let app: string;
beforeAll(() => {
  app = packed().folder;
});

/** Every file that package.json names. */
const targetsOf = (target: unknown): string[] =>
  typeof target === 'string' ? [target] : Object.values(target ?? {}).flatMap(targetsOf);

describe('the tarball', () => {
  it('holds the bundles with source maps, types and documents, and nothing else', () => {
    const allowed = [
      /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
      /^docs\/[\w./-]+\.(md|png|svg)$/,
      /^dist\/(cjs\/)?[\w.-]+\.js(\.map)?$/,
      /^dist\/(cjs\/)?types\/[\w-]+\.d\.ts$/,
      /^dist\/(predict\.py|cjs\/package\.json)$/,
      /^demo\/models\/mnist-half-1536\.safetensors$/,
    ];
    expect(packed().paths.filter((path) => !allowed.some((pattern) => pattern.test(path)))).toEqual([]);
    for (const path of ['README.md', 'CHANGELOG.md', 'LICENSE', 'docs/backend.md'])
      expect(packed().paths).toContain(path);
  });

  it('holds every file that package.json names', () => {
    const { main, module, types, typesVersions, alias, unpkg } = JSON.parse(
      readFileSync(join(app, 'node_modules/weightless-gpu/package.json'), 'utf8'),
    );
    const targets = targetsOf([exports, main, module, types, typesVersions, alias, unpkg, bin]);
    expect(targets.length).toBeGreaterThan(40);
    const paths = new Set(packed().paths.map((path) => `./${path}`));
    expect(targets.filter((path) => !paths.has(path.replace(/^(?!\.)/, './')))).toEqual([]);
  });

  it('names each entry point for tools that do not read "exports"', () => {
    const { typesVersions, alias } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const names = entries.slice(1).map((name) => name.replace('weightless-gpu/', ''));
    expect(Object.keys(typesVersions['*'])).toEqual(names);
    expect(Object.keys(alias)).toEqual(names.map((name) => `./${name}`));
  });

  it('has no long line where an error can be thrown', () => {
    const code = packed().paths.filter((path) => path.endsWith('.js') && path !== bin.weightless);
    for (const path of code) {
      const lines = readFileSync(join(app, 'node_modules/weightless-gpu', path), 'utf8').split('\n');
      const throws = (line: string) => /\bthrow\b|new \w*Error\b/.test(line.replace(STRING, ''));
      const long = lines.filter((line) => line.length > 1500 && throws(line));
      expect(long, path).toEqual([]);
    }
  });
});

describe('types', () => {
  const versions = {
    '5.4': 'test/package/node_modules/typescript-5.4',
    '5.9': 'test/package/node_modules/typescript-5.9',
    '6.0': 'node_modules/typescript',
  };
  const webgpu = join(root, 'node_modules/@webgpu/types/dist/index.d.ts');
  const compile = (name: string, version: keyof typeof versions, options: object, files: string[], emit = false) => {
    const project = join(app, name);
    mkdirSync(project, { recursive: true });
    for (const file of files.filter((file) => file.startsWith('use.')))
      cpSync(join(root, 'test/package/app/use.ts'), join(project, file));
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2022', 'DOM'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: !emit,
      ...options,
    };
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    expect(run('node', [join(root, versions[version], 'bin/tsc'), '-p', project], project)).toBe('');
    return project;
  };
  const each = Object.keys(versions) as (keyof typeof versions)[];

  it.each(each)('TypeScript %s, bundler', (version) => {
    compile(`bundler-${version}`, version, { module: 'ESNext', moduleResolution: 'bundler' }, ['use.ts']);
  });
  it.each(each)('TypeScript %s, node10', (version) => {
    const deprecated = version === '6.0' ? { ignoreDeprecations: '6.0' } : {};
    const options = { ...deprecated, module: 'CommonJS', moduleResolution: 'node10' };
    compile(`node10-${version}`, version, options, ['use.ts']);
  });
  it.each(each)('TypeScript %s, node16: ES module and CommonJS', (version) => {
    compile(`node16-${version}`, version, { module: 'node16' }, ['use.mts', 'use.cts']);
  });
  it.each(['5.4', '5.9'] as const)('TypeScript %s with @webgpu/types', (version) => {
    compile(`webgpu-${version}`, version, { module: 'ESNext', moduleResolution: 'bundler' }, ['use.ts', webgpu]);
  });
  it('TypeScript 6.0 with @webgpu/types, which conflicts with its DOM library', () => {
    const options = { module: 'ESNext', moduleResolution: 'bundler', skipLibCheck: true };
    compile('webgpu-6.0', '6.0', options, ['use.ts', webgpu]);
  });
  it.each(['5.9', '6.0'] as const)('TypeScript %s in Node, without the DOM library', (version) => {
    const options = { lib: ['ES2022'], typeRoots: [join(root, 'node_modules/@types')], types: ['node'] };
    compile(`no-dom-${version}`, version, { ...options, module: 'nodenext', skipDefaultLibCheck: true }, ['use.mts']);
  });
  it('nodenext: what TypeScript makes runs, as an ES module and as CommonJS', () => {
    const project = compile('nodenext', '5.9', { module: 'nodenext' }, ['use.mts', 'use.cts'], true);
    expect(run('node', ['-e', "require('./use.cjs').main()"], project)).toBe('2\n');
    expect(run('node', ['-e', "import('./use.mjs').then(({ main }) => main())"], project)).toBe('2\n');
  });
});

describe('in Node', () => {
  it.each(entries)('%s: the same names by import and by require()', (entry) => {
    const print = 'console.log(Object.keys(all).sort().join())';
    const imported = run('node', ['--input-type=module', '-e', `import * as all from '${entry}'; ${print}`], app);
    // As Node does before 20.19: a require() of ES modules fails.
    const required = run('node', [...onlyCommonJs, '-e', `const all = require('${entry}'); ${print}`], app);
    expect(imported.length).toBeGreaterThan(2);
    expect(required).toBe(imported);
  });
  const onlyCommonJs = process.allowedNodeEnvironmentFlags.has('--experimental-require-module')
    ? ['--no-experimental-require-module']
    : [];

  const throwing = 'readModel(new Uint8Array(3)).layers;';
  it.each([
    ['import', '--input-type=module', `import { readModel } from 'weightless-gpu'; ${throwing}`],
    ['require()', '--input-type=commonjs', `const { readModel } = require('weightless-gpu'); ${throwing}`],
  ])('an uncaught error, by %s: its name, and less than 4 kB', (_, type, code) => {
    const printed = failure('node', [type, '-e', code], app);
    expect(printed).toMatch(/^ModelFileError: model file: expected/m);
    expect(printed.length).toBeLessThan(4096);
    const mapped = failure('node', ['--enable-source-maps', type, '-e', code], app);
    expect(mapped).toMatch(/src\/model\/\w+\.ts:\d+/);
  });

  it('names the class of every error', () => {
    const code = `import * as all from 'weightless-gpu';
      const errors = Object.entries(all).filter(([name, value]) => /^[A-Z]/.test(name) && value.prototype instanceof Error);
      console.log(errors.map(([name, of]) => [name, of.name, new of('').name, new of('').stack.split('\\n')[0]].join()).join('\\n'));`;
    const lines = run('node', ['--input-type=module', '-e', code], app).trim().split('\n');
    expect(lines.length).toBeGreaterThan(9);
    for (const line of lines) expect(line).toMatch(/^(\w+),\1,\1,\1(: )?$/);
  });

  it('source maps hold the sources', () => {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(root, 'dist/weightless.js.map'), 'utf8'));
    const at = sources.indexOf('../src/core/errors.ts');
    expect(sourcesContent[at]).toBe(readFileSync(join(root, 'src/core/errors.ts'), 'utf8'));
  });

  it('npx weightless', () => {
    expect(run('npx', ['--no-install', 'weightless', '--help'], app)).toMatch(/^Usage: weightless/);
    expect(run('npx', ['--no-install', 'weightless', '--version'], app).trim()).toBe(
      JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version,
    );
  });
});

it('the tarball is the only thing to install', () => {
  const listed = JSON.parse(readFileSync(join(app, 'node_modules/.package-lock.json'), 'utf8'));
  expect(Object.keys(listed.packages)).toEqual(['node_modules/weightless-gpu']);
  expect(statSync(packed().tarball).size).toBeLessThan(4e6);
});
