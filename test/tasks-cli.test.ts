/** `train` and `eval` by task: regression and labels against a float64 twin, rare classes, validation rows, the report. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DataSet, dataSet } from '../src/data/dataset.ts';
import { openFolder } from '../src/data/folder.ts';
import { splitByContent } from '../src/data/split.ts';
import type { Loss } from '../src/graph/losses.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { sequential } from '../src/model/model.ts';
import { preparationOf } from '../src/model/preparation-metadata.ts';
import { readModel } from '../src/model/safetensors.ts';
import { createContext } from '../src/open.ts';
import { calibrate } from '../src/train/calibrate.ts';
import { cosine } from '../src/train/fit.ts';
import { labelFigures, regressionErrors } from '../src/train/metrics.ts';
import { suitableRuns } from '../tools/experiments/suitable.ts';
import { experimentNamed, experimentNames } from '../tools/experiments/table.ts';
import { outputsOfReference, stepsOfReference } from './reference-training.ts';
import { housing, rare, sine, type TaskRows, ticketLabels, tickets } from './task-data.ts';

const cli = join(import.meta.dirname, '../dist/cli.js');
const folder = mkdtempSync(join(tmpdir(), 'weightless-tasks-'));

function run(...args: string[]) {
  const options = { encoding: 'utf8', cwd: folder, timeout: 120_000 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args, '--backend', 'cpu'], options);
  return { code: status, out: stdout, err: stderr };
}

function json(...args: string[]) {
  const { code, out, err } = run(...args, '--json');
  expect(code, err).toBe(0);
  return JSON.parse(out);
}

/** Writes a table; `answers` makes the last cells of a row of its targets. */
function writeTable(
  name: string,
  { columns, features, targets }: TaskRows,
  answers: string[],
  cell: (row: readonly number[]) => (string | number)[],
) {
  mkdirSync(join(folder, name));
  const lines = features.map((row, i) => [...row, ...cell(targets[i]!)].join(','));
  writeFileSync(join(folder, name, 'train.csv'), `${[...columns, ...answers].join(',')}\n${lines.join('\n')}\n`);
}

const EPOCHS = 20;
const BATCH = 16;

/** What `train` does, in float64: outputs for the test rows with the parameters of the epoch that it chose. */
async function twin(name: string, loss: Loss, bestEpoch: number): Promise<{ test: DataSet; outputs: Float64Array }> {
  const { load } = await openFolder(join(folder, name));
  const [whole, test] = [await load('train'), await load('test')];
  const { train } = splitByContent(whole, { share: 0.1, seed: 0 });
  const context = await createContext({ backend: 'cpu', threads: 1 });
  const outputs = train.targets!.length / train.rows;
  const model = sequential([halfDense({ units: 48 }), dense({ units: outputs })], { input: train.shape, seed: 0 });
  await calibrate(context, model, train);
  context.dispose();
  const rate = cosine(0.02);
  const perEpoch = Math.floor(train.rows / BATCH); // the command trains on the rows that are left over, too
  const parameters = stepsOfReference(model, train, {
    ...{ batch: BATCH, steps: bestEpoch * perEpoch, loss },
    learningRate: (done) => rate(done / (EPOCHS * perEpoch)),
    optimizer: { kind: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
  });
  return { test, outputs: outputsOfReference(model, test, parameters) };
}

const training = ['--units', '48', '--epochs', String(EPOCHS), '--batch', String(BATCH), '--rate', '0.02'];

describe('regression', () => {
  it.each([
    ['sine', sine(500)],
    ['housing', housing(500)],
  ])('%s: as good as the float64 twin; eval finds the same', async (name, rows) => {
    writeTable(name, rows, ['price'], ([y]) => [y!]);
    const made = json('train', '--data-dir', name, ...training, '--out', `${name}.safetensors`);
    expect(made.notes[0]).toMatch(
      /^task: regression \(chosen from the data; --task decides otherwise\); target: column 'price'$/,
    );
    const [trained] = made.runs;
    expect(trained).not.toHaveProperty('testAccuracy');
    const { test, outputs } = await twin(name, 'meanSquaredError', trained.bestEpoch);
    const { r2 } = regressionErrors(outputs, test.targets!);
    expect(r2).toBeGreaterThan(0.75);
    expect(Math.abs(trained.test.r2 - r2)).toBeLessThan(0.01);
    const evaluated = json('eval', `${name}.safetensors`, '--data-dir', name);
    expect(evaluated.r2).toBe(trained.test.r2);
    expect(evaluated.targets).toMatchObject([{ name: 'price', mae: trained.test.mae }]);
    expect(run('eval', `${name}.safetensors`, '--data-dir', name).out).toMatch(/test R2 .*\n.*\n.*0\.\d{4}/);
  });

  it('of several targets, named with commas, whatever their scales', () => {
    const { columns, features, targets } = housing(300);
    const both = { columns, features, targets: targets.map(([y], i) => [y!, 1000 * features[i]![0]!]) };
    writeTable('two', both, ['price', 'tax'], (row) => [...row]);
    const made = json('train', '--data-dir', 'two', '--label', 'price,tax', ...training, '--out', 'two.safetensors');
    expect(made.runs[0].test.targets.map(({ name }: { name: string }) => name)).toEqual(['price', 'tax']);
    expect(made.runs[0].test.targets[1].r2).toBeGreaterThan(0.9);
    expect(preparationOf(readModel(readFileSync(join(folder, 'two.safetensors'))))!.outputs).toMatchObject({
      task: 'regression',
      targets: [{ name: 'price' }, { name: 'tax' }],
    });
    expect(json('eval', 'two.safetensors', '--data-dir', 'two').r2).toBe(made.runs[0].test.r2);
    const wrong = run('train', '--data-dir', 'two', '--label', 'price,nothing');
    expect(wrong.err).toMatch(/DataError: train\.csv: expected --label to be one of its columns .*got 'nothing'/);
  });
});

it('several labels a row: as good as the float64 twin', async () => {
  writeTable('tickets', tickets(500), ['tags'], (row) => [ticketLabels.filter((_, i) => row[i]).join(';')]);
  const made = json('train', '--data-dir', 'tickets', ...training, '--out', 'tickets.safetensors');
  expect(made.notes[0]).toMatch(/several labels a row \(chosen.*3 labels between ';' \(billing, legal, urgent\)/);
  const [trained] = made.runs;
  const { test, outputs } = await twin('tickets', 'binaryCrossEntropy', trained.bestEpoch);
  const { micro, macro } = labelFigures(outputs, test.targets!, 3);
  expect(micro.f1).toBeGreaterThan(0.7);
  // A row is one decision in 300 or so: within 0.01, or three of them.
  expect(Math.abs(trained.test.micro.f1 - micro.f1)).toBeLessThan(0.01);
  expect(Math.abs(trained.test.macro.f1 - macro.f1)).toBeLessThan(0.01);
  expect(json('eval', 'tickets.safetensors', '--data-dir', 'tickets').labels).toEqual(trained.test.labels);
  const wrong = run('eval', 'tickets.safetensors', '--data-dir', 'sine', '--label', 'price', '--task', 'regression');
  expect(wrong.err).toMatch(
    /DataError: sine: expected --task multilabel, as the model was trained for; got 'regression'/,
  );
});

describe('rare classes', () => {
  const { columns, features, labels } = rare(4000);
  writeTable('rare', { columns, features, targets: labels.map((label) => [label]) }, ['state'], ([label]) => [
    label ? 'fault' : 'fine',
  ]);
  const train = ['train', '--data-dir', 'rare', '--units', '64', '--epochs', '10', '--rate', '0.002'];

  it('a class that is never found is said in words', () => {
    const { code, out, err } = run(...train);
    expect(code, err).toBe(0);
    expect(out).toMatch(/accuracy 9\d\.\d\d%, balanced accuracy 50\.00%/);
    expect(out).toMatch(
      /warning: the class 'fault' is never found: 0 of its \d+ test rows\. Try --class-weights balanced/,
    );
    expect(out).toMatch(/is \\ predicted/);
    expect(err).not.toMatch(/, test /); // the test rows are used once, at the end
    expect(err).toMatch(/validation: \d+ of 3,\d+ training rows are held out/);
    expect(err).toMatch(/epoch 1\/10: loss .*, validation loss .*best so far/);
  });

  it('--class-weights balanced finds at least 80% of it', () => {
    const [{ test }] = json(...train, '--class-weights', 'balanced').runs;
    const [fault] = test.classes;
    expect(fault).toMatchObject({ name: 'fault' });
    expect(fault.recall).toBeGreaterThanOrEqual(0.8);
    expect(test.balancedAccuracy).toBeGreaterThan(0.8);
    expect(test.rocAuc).toBeGreaterThan(0.9);
    expect(test).not.toHaveProperty('warnings');
  });

  it('--patience stops early, --held-out 0 trains on all rows', () => {
    const [stopped] = json(
      ...train,
      '--epochs',
      '200',
      '--schedule',
      'constant',
      '--rate',
      '0.02',
      '--patience',
      '3',
    ).runs;
    expect(stopped.history.length).toBe(stopped.bestEpoch + 3);
    const [all] = json(...train, '--epochs', '1', '--held-out', '0').runs;
    expect(all).not.toHaveProperty('validation');
    expect(all.history[0]).not.toHaveProperty('validation');
    const refused = run(...train, '--held-out', '0', '--patience', '2');
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringMatching(/expected validation rows beside --patience/),
    });
  });

  it('added rows move no earlier row into another part', async () => {
    const parts = async () => {
      const { load } = await openFolder(join(folder, 'rare'));
      const { train, validation } = splitByContent(await load('train'), { share: 0.1, seed: 0 });
      return { train: new Set(train.keys), validation: new Set(validation.keys) };
    };
    const before = await parts();
    appendFileSync(
      join(folder, 'rare/train.csv'),
      `${rare(40, 99)
        .features.map((row) => [...row, 'fine'].join(','))
        .join('\n')}\n`,
    );
    const after = await parts();
    for (const key of before.train) expect(after.validation.has(key)).toBe(false);
    for (const key of before.validation) expect(after.validation.has(key)).toBe(true);
  });
});

it.each([
  ['whole numbers up to 20 are classes', (i: number) => String(i % 12), 'classification'],
  ['more of them are numbers to predict', (i: number) => String((7 * i) % 90), 'regression'],
  ['decimals are numbers', (i: number) => `${i % 9}.5`, 'regression'],
  ['two numbers are classes', (i: number) => ['0', '1.5'][i % 2]!, 'classification'],
  ['texts are classes', (i: number) => ['a', 'b', 'c'][i % 3]!, 'classification'],
  ['lists are labels', (i: number) => ['a|b', 'b', 'a', '', 'b|c', 'c'][i % 6]!, 'multilabel'],
  ['a comma in a text is no list', (i: number) => ['"one, two"', '"three, four"'][i % 2]!, 'classification'],
])('%s', async (what, cell, task) => {
  const name = what.replaceAll(' ', '-');
  mkdirSync(join(folder, name));
  const lines = Array.from({ length: 180 }, (_, i) => `${(i * 37) % 101},${cell(i)}`);
  writeFileSync(join(folder, name, 'train.csv'), `x,label\n${lines.join('\n')}\n`);
  const { load, notes } = await openFolder(join(folder, name));
  expect((await load('train')).preparation!.outputs.task).toBe(task);
  expect(notes[0]).toMatch(/^task: .*chosen from the data/);
});

describe('experiments on a table', () => {
  const train = dataSet({
    features: new Float32Array(14 * 200),
    shape: [14],
    labels: new Uint32Array(200),
    classes: 2,
  });

  it.each(experimentNames)('%s plans only networks that can be built, and rows that are there', (name) => {
    const experiment = experimentNamed(name);
    const plan = experiment.plan({ quick: false, runs: 1, data: ['table'] });
    const suitable = suitableRuns(experiment, plan, train, 'table');
    for (const spec of suitable) {
      expect(spec.network).not.toMatch(/patch|mexican-hat|conv/);
      expect(spec.validationRows ?? 0).toBeLessThan(100);
    }
    expect(suitable.some(({ network }) => /^half \d+/.test(network))).toBe(true);
  });

  it('paper runs on one from the command line, and says what it leaves out', () => {
    mkdirSync(join(folder, 'flowers'));
    const lines = Array.from({ length: 60 }, (_, i) => `${i % 7},${(i * 5) % 11},${['rose', 'tulip'][i % 2]}`);
    writeFileSync(join(folder, 'flowers/train.csv'), `a,b,class\n${lines.join('\n')}\n`);
    const experiment = ['experiment', 'paper', '--data-dir', 'flowers', '--quick', '--runs', '1', '--jobs', '1'];
    const { code, out, err } = run(...experiment, '--only', '128 ', '--out', 'flowers.jsonl');
    expect(code, err).toBe(0);
    expect(err).toMatch(/flowers: \d of \d+ runs are left out: their networks need images/);
    expect(out).toMatch(/half 128 normal/);
    expect(out).not.toMatch(/failed/);
  });

  it('refuses data without classes', () => {
    const numbers = dataSet({ features: new Float32Array(6), shape: [2], targets: [1, 2, 3] });
    const experiment = experimentNamed('paper');
    const plan = experiment.plan({ quick: true, runs: 1, data: ['table'] });
    expect(() => suitableRuns(experiment, plan, numbers, 'table')).toThrow(/expected data with classes/);
  });
});

describe('train --from', () => {
  it('starts from the trained values of a model file, and refuses data and options that do not fit it', () => {
    writeTable('start', sine(200), ['price'], ([y]) => [y!]);
    writeTable('wider', housing(200), ['price'], ([y]) => [y!]);
    const short = ['--epochs', '2', '--batch', '16', '--held-out', '0'];
    const first = json('train', '--data-dir', 'start', '--units', '24', ...short, '--out', 'start.safetensors');
    // Adam moves a value by about the learning rate: too little to change any f32.
    const still = ['train', '--from', 'start.safetensors', '--data-dir', 'start', ...short, '--rate', '1e-30'];
    const [same] = json(...still, '--out', 'same.safetensors').runs;
    expect(same.before).toEqual(first.runs[0].test);
    expect(same.before.loss).toBe(json('eval', 'start.safetensors', '--data-dir', 'start').loss);
    expect(same.test).toEqual(same.before);
    const parametersOf = (file: string) => readModel(readFileSync(join(folder, file))).parameters;
    expect(parametersOf('same.safetensors')).toEqual(parametersOf('start.safetensors'));
    expect(same.history[0].loss).toBeLessThan(first.runs[0].history[1].loss);
    const further = ['--data-dir', 'start', '--epochs', '10', '--batch', '16', '--held-out', '0'];
    const [better] = json('train', '--from', 'start.safetensors', ...further).runs;
    expect(better.test.r2).toBeGreaterThan(better.before.r2);
    const other = run('train', '--from', 'start.safetensors', '--data-dir', 'wider');
    expect(other.code).not.toBe(0);
    expect(other.err).toMatch(/expected the columns of the model \('x'\), matched by name; got no column 'x'/);
    expect(run(...still, '--units', '5').err).toMatch(/'--from <file>' cannot be used with option '--units <sizes>'/);
  });
});
