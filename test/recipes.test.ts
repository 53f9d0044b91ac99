/** The recipes: what their runs say, that the commands in experiments/recipes.md are theirs, and the two model files that are committed. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLayers } from '../tools/common/architecture.ts';
import { readResults } from '../tools/experiments/lines.ts';
import { recipes, recipesExperiment } from '../tools/experiments/recipes.ts';
import { figure } from '../tools/experiments/summary.ts';

const root = join(import.meta.dirname, '..');
const results = await readResults(join(root, 'experiments/results/recipes.jsonl'));
const plan = recipesExperiment.plan({ quick: false, runs: 5 });

/** The five runs of a recipe, by seed. */
function runsOf(name: string) {
  const keys = plan.filter(({ extra }) => extra?.recipe === name).map(({ key }) => key);
  const runs = keys.map((key) => results.find((result) => result.key === key)!);
  expect(runs.map((run) => run?.seed)).toEqual([0, 1, 2, 3, 4]);
  return runs;
}

const files = [
  { name: 'mnist-100k', data: 'mnist', least: 0.99 },
  { name: 'fashion-100k', data: 'fashion-mnist', least: 0.905 },
];

describe('model files of at most 100,000 bytes', () => {
  it.each(files)('$name: five runs reach $least in the mean, as files in F16', ({ name, least }) => {
    const runs = runsOf(name);
    for (const { modelBytesF16 } of runs) expect(modelBytesF16).toBeLessThanOrEqual(100_000);
    expect(figure(runs.map(({ testAccuracyF16 }) => testAccuracyF16!)).mean).toBeGreaterThanOrEqual(least);
    expect(figure(runs.map(({ testAccuracy }) => testAccuracy)).mean).toBeGreaterThanOrEqual(least);
  });

  it.each(files)('$name: the committed file is that of seed 0, and as accurate as its run', ({ name, data, least }) => {
    const file = join(root, `experiments/models/${name}.safetensors`);
    const args = ['dist/cli.js', 'eval', file, '--data', data, '--backend', 'cpu', '--json'];
    const made = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    expect(made.status, made.stderr).toBe(0);
    const [run] = runsOf(name);
    const said = JSON.parse(made.stdout) as Record<string, unknown>;
    expect(said).toMatchObject({
      accuracy: run!.testAccuracyF16,
      modelBytes: readFileSync(file).length,
      trainedParameters: run!.trainedParameters,
      images: 10_000,
    });
    expect(said.accuracy).toBeGreaterThanOrEqual(least);
    expect(said.modelBytes).toBeLessThanOrEqual(100_000);
  });
});

it.each(['mnist-halfnet-two', 'mnist-halfnet'])(
  '%s has at most a fifth of the trained numbers of the full network; recipes.md and docs/results.md say how far behind it is',
  (name) => {
    const [half, full] = [name, 'mnist-full'].map(runsOf);
    expect(full![0]!.trainedParameters).toBe(784 * 1024 + 1024 + 1024 * 10 + 10);
    expect(5 * half![0]!.trainedParameters).toBeLessThanOrEqual(full![0]!.trainedParameters);
    const [own, whole] = [half, full].map((runs) => figure(runs!.map(({ testAccuracy }) => testAccuracy)).mean);
    if (name === 'mnist-halfnet-two') expect(whole! - own!).toBeLessThanOrEqual(0.002);
    const behind = `${(100 * (whole! - own!)).toFixed(2)} points behind`;
    for (const file of ['docs/results.md', 'experiments/recipes.md']) {
      expect(readFileSync(join(root, file), 'utf8')).toContain(behind);
    }
  },
);

describe('experiments/recipes.md', () => {
  const text = readFileSync(join(root, 'experiments/recipes.md'), 'utf8');
  const commands = text.match(/^npx weightless train .*$/gm) ?? [];

  it.each(recipes)('$name: its command is what the experiment runs', ({ name, data, network, epochs, rate }) => {
    const layers = (words: string) => parseLayers(words.replace('classes', '10'));
    const command = commands.find((line) => {
      const [, given] = /--layers "([^"]+)"/.exec(line) ?? [];
      return given && JSON.stringify(layers(given)) === JSON.stringify(layers(network));
    });
    expect(command, name).toBeDefined();
    for (const words of [`--data ${data} `, `--epochs ${epochs} `, `--rate ${rate} `, '--runs 5'])
      expect(`${command} `).toContain(words);
  });

  it('says the accuracy of each', () => {
    for (const { name } of recipes) {
      const accuracy = figure(runsOf(name).map(({ testAccuracy }) => testAccuracy));
      const [, line] = new RegExp(`^\\| \`${name}\` (.*)$`, 'm').exec(text) ?? [];
      expect(line, name).toContain(`${(100 * accuracy.mean).toFixed(2)} ± ${(100 * accuracy.deviation).toFixed(2)}%`);
    }
  });
});
