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
  type Version = keyof typeof versions;
  /** Writes a project of files named use.*, which are test/package/app/use.ts, and others by their paths. */
  const project = (name: string, options: object, files: string[]) => {
    const folder = join(app, name);
    mkdirSync(folder, { recursive: true });
    for (const file of files.filter((file) => file.startsWith('use.')))
      cpSync(join(root, 'test/package/app/use.ts'), join(folder, file));
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2022', 'DOM'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      ...options,
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    return folder;
  };
  const compile = (version: Version, projects: string[]) =>
    expect(run('node', [join(root, 'test/package/types.mjs'), join(root, versions[version]), ...projects], app)).toBe(
      '',
    );

  /** Checks every declaration but those of TypeScript's own library, which `bundler` checks: half of the time. */
  const ours = { skipDefaultLibCheck: true };
  const nodenext = () => project('nodenext', { ...ours, module: 'nodenext', noEmit: false }, ['use.mts', 'use.cts']);
  /** By the resolution of modules; with the types of WebGPU beside ours; without a DOM. */
  const projects: Record<string, (version: Version) => string> = {
    bundler: (version) => project(`bundler-${version}`, { module: 'ESNext', moduleResolution: 'bundler' }, ['use.ts']),
    node10(version) {
      const deprecated = version === '6.0' ? { ignoreDeprecations: '6.0' } : {};
      const options = { ...ours, ...deprecated, module: 'CommonJS', moduleResolution: 'node10' };
      return project(`node10-${version}`, options, ['use.ts']);
    },
    'node16, as an ES module and as CommonJS': (version) =>
      project(`node16-${version}`, { ...ours, module: 'node16' }, ['use.mts', 'use.cts']),
    'with @webgpu/types'(version) {
      const conflicts = version === '6.0'; // @webgpu/types and the DOM library of TypeScript 6 declare the same names
      const options = {
        ...ours,
        module: 'ESNext',
        moduleResolution: 'bundler',
        ...(conflicts && { skipLibCheck: true }),
      };
      return project(`webgpu-${version}`, options, ['use.ts', webgpu]);
    },
    'in Node, without the DOM library'(version) {
      const options = { lib: ['ES2022'], typeRoots: [join(root, 'node_modules/@types')], types: ['node'] };
      return project(`no-dom-${version}`, { ...ours, ...options, module: 'nodenext' }, ['use.mts']);
    },
  };
  const withoutDom: readonly Version[] = ['5.9', '6.0']; // @types/node needs 5.6

  it.each(Object.keys(versions) as Version[])('TypeScript %s, however it resolves modules', (version) => {
    const all = Object.entries(projects).filter(([name]) => !/DOM/.test(name) || withoutDom.includes(version));
    compile(version, [...all.map(([, make]) => make(version)), ...(version === '5.9' ? [nodenext()] : [])]);
  });

  it('an error in a project is printed', () => {
    const wrong = project('wrong', { module: 'ESNext', moduleResolution: 'bundler', skipLibCheck: true }, ['wrong.ts']);
    writeFileSync(
      join(wrong, 'wrong.ts'),
      "import { halfDense } from 'weightless-gpu';\nhalfDense({ units: 'many' });\n",
    );
    expect(() => compile('5.4', [wrong])).toThrow(/wrong\.ts.*TS2322/);
  });

  it('nodenext: what TypeScript makes runs, as an ES module and as CommonJS', () => {
    const folder = join(app, 'nodenext'); // compiled above
    expect(run('node', ['-e', "require('./use.cjs').main()"], folder)).toBe('2\n');
    expect(run('node', ['-e', "import('./use.mjs').then(({ main }) => main())"], folder)).toBe('2\n');
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
