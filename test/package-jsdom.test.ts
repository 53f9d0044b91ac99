/** The packed package in tests of its users, under jsdom: Jest requires it, Vitest imports it; the CPU backend predicts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { createContext, createPredictor, dense, halfDense, sequential } from '../src/index.ts';
import { projectFolder, root, run } from './package/packed.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightless-jsdom-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tools = 'test/package/node_modules';
projectFolder(folder, { 'jest-environment-jsdom': tools, vitest: 'node_modules' });

/** A test of theirs, which knows what plain Node predicts. */
async function theirTest(imports: string): Promise<string> {
  const context = await createContext({ backend: 'cpu', threads: 1 });
  const model = sequential([halfDense({ units: 5 }), dense({ units: 3 })], { input: [4], seed: 9 });
  const scores = await (await createPredictor(context, model)).predict(Float32Array.of(1, -2, 3, 0.5));
  return `${imports}
test('predicts', async () => {
  expect(typeof document).toBe('object');
  const context = await createContext({ backend: 'cpu' });
  const model = sequential([halfDense({ units: 5 }), dense({ units: 3 })], { input: [4], seed: 9 });
  const predictor = await createPredictor(context, model);
  const scores = await predictor.predict(Float32Array.of(1, -2, 3, 0.5));
  expect(Array.from(scores)).toEqual(${JSON.stringify([...scores])});
  await expect(predictor.predict([1, 2])).rejects.toThrow('expected');
  context.dispose();
});
`;
}

const names = '{ createContext, createPredictor, dense, halfDense, sequential }';

it('Jest', async () => {
  writeFileSync(join(folder, 'their.test.cjs'), await theirTest(`const ${names} = require('weightless-gpu');`));
  const config = { rootDir: folder, testEnvironment: 'jsdom', testMatch: ['**/*.test.cjs'], transform: {} };
  writeFileSync(join(folder, 'jest.config.json'), JSON.stringify(config));
  run('node', [join(root, tools, 'jest/bin/jest.js'), '--config', 'jest.config.json', '--runInBand'], folder);
});

it('Vitest', async () => {
  const imports = `import { expect, test } from 'vitest';\nimport ${names} from 'weightless-gpu';`;
  writeFileSync(join(folder, 'their.test.mjs'), await theirTest(imports));
  const config = "export default { test: { environment: 'jsdom', include: ['*.test.mjs'] } };\n";
  writeFileSync(join(folder, 'vitest.config.mjs'), config);
  const printed = run('node', [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--no-color'], folder);
  expect(printed).toMatch(/Tests +1 passed/);
});
