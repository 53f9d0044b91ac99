/** The learner for the spot: whatever the order in which examples came and went, it is the learner of what is left. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../src/backend/backend.ts';
import { averagePool2d, randomConv2d } from '../src/convolution.ts';
import { dataSet } from '../src/data/dataset.ts';
import { loadMnist } from '../src/data/mnist.ts';
import { fromRows } from '../src/data/rows.ts';
import { dense, halfDense, randomDense } from '../src/layers/dense.ts';
import { type Model, sequential } from '../src/model/model.ts';
import { setPreparation } from '../src/model/preparation-metadata.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { fit } from '../src/train/fit.ts';
import { createLearner, type Learner, type LearnerOptions, loadLearner } from '../src/train/learner.ts';
import { expectClose, expectSame } from './compare.ts';
import { testContext } from './gpu.ts';
import { numbers } from './kernels/harness.ts';

const cpu: Backend = await createContext({ backend: 'cpu', threads: 1 });
const SIZE = 28 * 28;
const names = [...'0123456789'];

const [train, test] = await Promise.all([loadMnist('train'), loadMnist('test')]);
const pixels = ({ features }: typeof train, first: number, rows: number) =>
  (features as Uint8Array).slice(first * SIZE, (first + rows) * SIZE);
const labelsOf = (first: number, rows: number) =>
  Array.from(train.labels.subarray(first, first + rows), (label) => names[label]!);
const unseen = pixels(test, 0, 64);

/** 180 features of 20 random filters. */
const filters = (seed = 1) =>
  sequential([randomConv2d({ channels: 20, kernel: 7 }), averagePool2d({ size: 8, stride: 7 }), dense({ units: 3 })], {
    input: [28, 28],
    seed,
  });

const learnerOf = (backend: Backend, options: LearnerOptions = { classes: names }, model: Model = filters()) =>
  createLearner(backend, model, options);

async function scores(learner: Learner): Promise<Float32Array> {
  const predictor = await learner.solve();
  return predictor.predict(unseen).finally(() => predictor.dispose());
}

const close = { absolute: 1e-5, reason: 'sums of the same products in another order, in float64' };

const refusal = (work: Promise<unknown> | (() => unknown)): Promise<string> =>
  Promise.resolve()
    .then(() => (typeof work === 'function' ? work() : work))
    .then(
      () => 'accepted',
      (error: Error) => `${error.name}: ${error.message}`,
    );

describe.each(['CPU', 'GPU'])('a learner on the %s', (device) => {
  const opening: Promise<Backend> = device === 'CPU' ? Promise.resolve(cpu) : testContext();

  it('has the same scores for examples one by one, at once, there and back, and of two that are merged', async () => {
    const backend = await opening;
    const most = device === 'CPU' ? 60 : 14; // a software adapter takes a while for each tile
    const some = most >> 1;
    const [ours, whole, again] = [await learnerOf(backend), await learnerOf(backend), await learnerOf(backend)];
    await whole.add(pixels(train, 0, most), labelsOf(0, most));
    const batch = await scores(whole);
    await again.add(pixels(train, 0, most), labelsOf(0, most));
    expectSame(await scores(again), batch, 'the same twice');
    for (let row = 0; row < most; row++) await ours.add(pixels(train, row, 1), labelsOf(row, 1)[0]!);
    expectClose(await scores(ours), batch, close, 'one by one');

    await whole.add(pixels(train, most, most), labelsOf(most, most));
    await whole.remove(pixels(train, most + some, most - some), labelsOf(most + some, most - some));
    for (let row = most; row < most + some; row++) await whole.remove(pixels(train, row, 1), labelsOf(row, 1));
    expect(whole.counts).toEqual(ours.counts);
    expectClose(await scores(whole), batch, close, 'there and back');

    const [first, second] = [await learnerOf(backend), await learnerOf(backend, { classes: [...names].reverse() })];
    await Promise.all([
      first.add(pixels(train, 0, some), labelsOf(0, some)),
      second.add(pixels(train, some, most - some), labelsOf(some, most - some)),
    ]);
    await first.merge(second);
    expectClose(await scores(first), batch, close, 'merged');
    for (const learner of [ours, whole, again, first, second]) await learner.dispose();
  });
});

it('scores on the GPU are those on the CPU within 1e-3, and a saved state goes from one to the other', async () => {
  const gpu = await testContext();
  const [here, there] = [await learnerOf(cpu), await learnerOf(gpu)];
  for (const learner of [here, there]) await learner.add(pixels(train, 0, 120), labelsOf(0, 120));
  const apart = { absolute: 1e-3, reason: 'features in float32; the penalty bounds what differences become' };
  const ours = await scores(here);
  expectClose(await scores(there), ours, apart, 'GPU');
  const moved = await loadLearner(cpu, await there.save());
  expectClose(await scores(moved), ours, apart, 'moved');
  await moved.merge(here);
  expect(moved.counts).toEqual(here.counts.map((count) => 2 * count));
});

it('has a state of constant size, which brings back the learner bit for bit', async () => {
  const learner = await learnerOf(cpu, {}, filters());
  for (const name of names) learner.addClass(name);
  const sizes: number[] = [];
  for (const rows of [100, 900]) {
    await learner.add(pixels(train, 0, rows), labelsOf(0, rows));
    sizes.push((await learner.save()).length);
  }
  expect(sizes[1]).toBe(sizes[0]);
  const state = await learner.save();
  const loaded = await loadLearner(cpu, state);
  expect(loaded.classes).toEqual(names);
  expect(loaded.counts).toEqual(learner.counts);
  expectSame(await scores(loaded), await scores(learner), 'loaded');
  expectSame(await loaded.save(), state, 'saved again');
  await learner.dispose();
  expectSame(await learner.save(), state, 'saved without a device');
});

it('makes an ordinary model, which names its classes', async () => {
  const learner = await learnerOf(cpu, { classes: ['zero', 'one'] });
  const rows = [...train.labels.subarray(0, 300).keys()].filter((row) => train.labels[row]! < 2);
  const picture = (row: number) => ({
    width: 28,
    height: 28,
    data: Uint8ClampedArray.from({ length: 4 * SIZE }, (_, i) =>
      i % 4 === 3 ? 255 : train.features[row * SIZE + (i >> 2)]!,
    ),
  });
  const half = rows.length >> 1;
  await learner.add(
    rows.slice(0, half).map((row) => pixels(train, row, 1)),
    rows.slice(0, half).map((row) => ['zero', 'one'][train.labels[row]!]!),
  );
  for (const row of rows.slice(half)) await learner.add(picture(row), ['zero', 'one'][train.labels[row]!]!);
  const predictor = await learner.solve();
  const [zero, one] = [0, 1].map((label) => test.labels.indexOf(label));
  const file = saveModel(predictor.model);
  const loaded = await createPredictor(cpu, readModel(file));
  for (const [at, label] of [
    [zero!, 'zero'],
    [one!, 'one'],
  ] as const) {
    const [best] = await loaded.classify(pixels(test, at, 1));
    expect(best!.label).toBe(label);
  }
  // A class that comes later starts with what the others have been: not it.
  learner.addClass('seven');
  const seven = train.labels.indexOf(7);
  await learner.add(pixels(train, seven, 1), 'seven');
  const three = await learner.solve();
  expect((await three.classify(pixels(train, seven, 1)))[0]!.label).toBe('seven');
  expect((await three.classify(pixels(test, one!, 1)))[0]!.label).toBe('one');
});

it('keeps trained layers as they are, and what the model says of raw data', async () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({ metres: i % 30, kind: i % 30 < 15 ? 'near' : 'far' }));
  const data = fromRows(rows, { label: 'kind' });
  const model = sequential([halfDense({ units: 16 }), dense({ units: 2 })], { input: data.shape, seed: 2 });
  for await (const _ of fit(cpu, model, data, { epochs: 2, batchSize: 20 }));
  const learner = await createLearner(cpu, model, { classes: ['low', 'high'] });
  await learner.add(
    rows.map(({ metres }) => ({ metres })),
    rows.map(({ metres }) => (metres < 8 ? 'low' : 'high')),
  );
  const predictor = await learner.solve();
  expect((await predictor.classify({ metres: 2 }))[0]!.label).toBe('low');
  expect((await predictor.classify({ metres: 25 }))[0]!.label).toBe('high');
  expectSame(predictor.model.parameters.get('layers.0.u')!, model.parameters.get('layers.0.u')!, 'u');
  expect(await refusal(learner.add({ yards: 2 }, 'low'))).toMatch(
    /^DataError: learner\.add: expected the columns 'metres'/,
  );
});

it('takes a model whose features are the inputs, or which has no output', async () => {
  const inputs = numbers(40 * 6, 1);
  const labels = Array.from({ length: 40 }, (_, row) => (inputs[row * 6]! > 0 ? 'up' : 'down'));
  for (const layers of [[dense({ units: 9 })], [randomDense({ units: 30 })]]) {
    const learner = await createLearner(cpu, sequential(layers, { input: [6] }), { classes: ['up', 'down'] });
    await learner.add(inputs, labels);
    const predictor = await learner.solve();
    expect((await predictor.classify([2, 0, 0, 0, 0, 0]))[0]!.label).toBe('up');
  }
});

it('chooses a penalty that is within a point of the best on MNIST, from few examples to many', async () => {
  for (const rows of [60, 600]) {
    const learner = await learnerOf(cpu);
    await learner.add(pixels(train, 0, rows), labelsOf(0, rows));
    const state = await learner.save();
    const rightOf = async (solved: Learner) => {
      const predictor = await solved.solve();
      const out = await predictor.predict(pixels(test, 0, 1000));
      await Promise.all([solved.dispose(), predictor.dispose()]);
      return Array.from({ length: 1000 }, (_, row) => {
        const logits = out.subarray(10 * row, 10 * row + 10);
        return Number(logits.indexOf(Math.max(...logits)) === test.labels[row]);
      }).reduce((a, b) => a + b);
    };
    const fixed: number[] = [];
    for (const penalty of [0.01, 0.1, 1, 10]) {
      fixed.push(await rightOf(await loadLearner(cpu, state, { penalty })));
    }
    expect(await rightOf(learner), `${rows} examples: ${fixed}`).toBeGreaterThanOrEqual(Math.max(...fixed) - 10);
  }
});

it('runs calls in their order, also those that nobody waits for', async () => {
  const learner = await learnerOf(cpu, { classes: ['a'] });
  const adding = learner.add(pixels(train, 0, 3), 'a');
  learner.addClass('b');
  const later = learner.add(pixels(train, 3, 2), 'b');
  const solving = learner.solve();
  learner.addClass('c');
  expect((await solving).model.layers.at(-1)).toMatchObject({ units: 2 });
  await Promise.all([adding, later]);
  expect(learner.counts).toEqual([3, 2, 0]);
  await learner.merge(learner);
  expect(learner.counts).toEqual([6, 4, 0]);
});

it('adds many examples in blocks, and all of them or none', async () => {
  const model = sequential([randomDense({ units: 64 })], { input: [2], seed: 1 });
  const rows = 16_400; // a block holds 16,384
  const inputs = numbers(2 * rows, 5);
  const labels = Array.from({ length: rows }, (_, row) => (inputs[2 * row]! > 0 ? 'a' : 'b'));
  const [once, twice] = [await learnerOf(cpu, { classes: ['a', 'b'] }, model), await learnerOf(cpu, {}, model)];
  await once.add(inputs, labels);
  for (const name of ['a', 'b']) twice.addClass(name);
  await twice.add(inputs.slice(0, 2 * 9000), labels.slice(0, 9000));
  await twice.add(inputs.slice(2 * 9000), labels.slice(9000));
  const [whole, parts] = [await once.solve(), await twice.solve()];
  const unseen = numbers(200, 6);
  expectClose(await parts.predict(unseen), await whole.predict(unseen), close, 'in two calls');
  const before = await once.save();
  inputs[2 * rows - 1] = 3.4e38;
  expect(await refusal(once.add(inputs, labels))).toMatch(/finite features, got .* from input 16399/);
  expectSame(await once.save(), before, 'state');
});

describe('refuses by name', () => {
  it('examples that do not fit, and leaves the sums as they were', async () => {
    const learner = await learnerOf(cpu, { classes: ['a', 'b'] });
    await learner.add(pixels(train, 0, 4), ['a', 'b', 'a', 'b']);
    const before = await learner.save();
    const image = pixels(train, 0, 1);
    expect(await refusal(learner.add(image, 'c'))).toMatch(/'a', 'b'; got 'c'\. Call addClass first/);
    expect(await refusal(learner.add(image, ['a', 'b']))).toMatch(/got 2 for 1 inputs/);
    expect(await refusal(learner.add([], 'a'))).toMatch(/expected 784 numbers .*got 0/);
    expect(await refusal(learner.add(image.slice(1), 'a'))).toMatch(/learner\.add: expected 784 numbers .*got 783/);
    expect(await refusal(learner.add(new Float32Array(SIZE).fill(Number.NaN), 'a'))).toMatch(/finite numbers, got NaN/);
    expect(await refusal(learner.add(new Float32Array(SIZE).fill(3e38), 'a'))).toMatch(/finite features.*Rescale/);
    expect(await refusal(learner.remove(pixels(train, 0, 3), 'b'))).toMatch(/got 3 of 'b', which has 2/);
    expect(await refusal(() => learner.addClass('a'))).toMatch(/a name that no other class has, got 'a'/);
    expect(await refusal(() => learner.addClass(''))).toMatch(/got ''/);
    expectSame(await learner.save(), before, 'state');
    await learner.remove(pixels(train, 0, 4), ['a', 'b', 'a', 'b']);
    expect(await refusal(learner.solve())).toMatch(/two classes or more, got those of 0/);
    await learner.dispose();
    expect(await refusal(learner.add(image, 'a'))).toMatch(/a live learner/);
  });

  it('states of other random parts, and what is no learner', async () => {
    const learner = await learnerOf(cpu);
    const other = async (model: Model) => refusal(learner.merge(await learnerOf(cpu, {}, model)));
    expect(await other(filters(2))).toMatch(/DataError: .*the same seed, "1"; got "2"\. Sums of other features/);
    const fewer = sequential([randomConv2d({ channels: 4, kernel: 7 }), dense({ units: 3 })], {
      input: [28, 28],
      seed: 1,
    });
    expect(await other(fewer)).toMatch(/the same layers/);
    const calibrated = filters();
    calibrated.parameters.get('layers.0.u')![3] = 2;
    expect(await other(calibrated)).toMatch(/the same parameter 'layers\.0\.u', 1 at 3; got 2/);
    const prepared = filters();
    const { preparation } = dataSet({ features: [1], shape: [1], labels: [0], classNames: ['a'] });
    setPreparation(prepared, preparation);
    expect(await other(prepared)).toBe('accepted'); // the same preparation, other classes
    expect(await refusal(learner.merge((await learner.save()) as never))).toMatch(/Use loadLearner/);
    expect(await refusal(learnerOf(cpu, { penalty: 0 }))).toMatch(/OptionError: .*penalty above 0, got 0/);
    expect(await refusal(learnerOf(cpu, { classes: ['a', 'a'] }))).toMatch(/DataError: createLearner: .*got 'a'/);
  });

  it('states that are damaged', async () => {
    const learner = await learnerOf(
      cpu,
      { classes: ['a', 'b'] },
      sequential([randomDense({ units: 3 })], { input: [2] }),
    );
    await learner.add([1, 2, 3, 4], ['a', 'b']);
    const state = await learner.save();
    const changed = (from: string, to: string) => {
      const text = Buffer.from(state).toString('latin1').replace(from, to);
      return refusal(loadLearner(cpu, Buffer.from(text, 'latin1')));
    };
    expect(await refusal(loadLearner(cpu, state.subarray(0, -1)))).toMatch(/ModelFileError: .*truncated/);
    expect(await refusal(loadLearner(cpu, saveModel(filters())))).toMatch(/the format 'weightless-learner'/);
    expect(await changed('"version":"1"', '"version":"2"')).toMatch(/expected version 1, got '2'/);
    expect(await changed('\\"b\\"', '\\"a\\"')).toMatch(/names of classes that differ/);
    expect(await changed('"counts":{"dtype":"F64"', '"counts":{"dtype":"I64"')).toMatch(/'counts' as F64, got 'I64'/);
    const view = new DataView(state.buffer.slice(0));
    const data = 8 + Number(view.getBigUint64(0, true));
    view.setFloat64(data, Number.NaN, true);
    expect(await refusal(loadLearner(cpu, view))).toMatch(/finite numbers in 'products', got NaN/);
    view.setFloat64(data, 1, true);
    view.setFloat64(data + 8 * (6 + 6), 0.5, true);
    expect(await refusal(loadLearner(cpu, view))).toMatch(/numbers of examples, got 0\.5/);
  });
});
