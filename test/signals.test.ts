/** Signals from files to predictions: readers, generators, the estimator on both backends, the command line. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DataError, ShapeError } from '../src/core/errors.ts';
import { readArff } from '../src/data/arff.ts';
import { dataSet } from '../src/data/dataset.ts';
import { lengthOf, prepareSeries } from '../src/data/series.ts';
import { readSeriesTable } from '../src/data/series-tables.ts';
import { signalData } from '../src/data/signal-data.ts';
import { openSignalFolder } from '../src/data/signal-folder.ts';
import { makeSyntheticSignals } from '../src/data/synthetic-signals.ts';
import { readTsFile } from '../src/data/ts-file.ts';
import type { SignalInputs } from '../src/model/preparation.ts';
import { preparationOf } from '../src/model/preparation-metadata.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { fitSignals, randomKernels1d, signalStream } from '../src/signals.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { testContext } from './gpu.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightless-signals-'));
afterAll(() => rmSync(folder, { recursive: true }));

const numbersOf = (channels: readonly ArrayLike<number>[]) => channels.map((channel) => Array.from(channel));
const bytesOf = (text: string) => new TextEncoder().encode(text);

describe('.ts files', () => {
  it('have comments, gaps, several channels, unequal lengths and classes as text', () => {
    const text = `# a comment\n@problemName Toy\n@timeStamps false\n@missing true\n@univariate false\n@dimensions 2
@equalLength false\n@classLabel true left right\n@data\n1,2,?,4:0.5,-1e-3:left\n\n3:4,5,6:right\n`;
    const { series, classes } = readTsFile(text, 'toy.ts');
    expect(classes).toEqual(['left', 'right']);
    expect(series.map(({ label }) => label)).toEqual(['left', 'right']);
    expect(numbersOf(series[0]!.channels)).toEqual([
      [1, 2, Number.NaN, 4],
      [0.5, -1e-3],
    ]);
    expect(series.map(lengthOf)).toEqual([4, 3]);
  });

  it('may have time stamps, other line ends, and no classes', () => {
    const text =
      '@timestamps true\r\n@classlabel false\r\n@data\r\n(2024-01-01 00:00:00,1),(2024-01-01 00:00:01,2)\r\n';
    expect(readTsFile(text, 'a.ts').series).toEqual([{ label: undefined, channels: [Float64Array.of(1, 2)] }]);
  });

  it.each([
    ['no data', '@classLabel true a\n', /expected a line '@data'/],
    ['no series', '@data\n', /expected series below '@data'/],
    ['text before the data', '1,2:a\n', /line 1: expected a line of the header/],
    ['no class', '@classLabel true a b\n@data\n1,2\n', /line 3: expected channels and a class/],
    ['words for numbers', '@classLabel true a\n@data\n1,two:a\n', /line 3: expected numbers.*got 'two'/],
    ['channels that differ', '@classLabel true a\n@data\n1:2:a\n1:a\n', /line 4: expected 2 channels.*got 1/],
    ['a regression', '@targetLabel true\n@data\n1:2\n', /expected classes/],
  ])('are refused by name: %s', (_, text, message) => {
    expect(() => readTsFile(text, 'bad.ts')).toThrow(DataError);
    expect(() => readTsFile(text, 'bad.ts')).toThrow(message);
  });
});

describe('.arff files', () => {
  it('have one channel, or several in a relational attribute', () => {
    const one = readArff("@relation r\n@attribute a numeric\n@attribute t {x,'y z'}\n@data\n1,?,'y z'\n", 'a.arff');
    expect(one).toEqual({
      classes: ['x', 'y z'],
      series: [{ label: 'y z', channels: [Float64Array.of(1, Number.NaN)] }],
    });
    const many = readArff("@attribute t {x,y}\n@data\n'1,2\\n3,4',x\n", 'b.arff');
    expect(numbersOf(many.series[0]!.channels)).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('are refused without data or classes', () => {
    expect(() => readArff('@attribute a numeric\n', 'a.arff')).toThrow(/expected a line '@data'/);
    expect(() => readArff('@data\n1,2\n', 'a.arff')).toThrow(/expected the classes as an attribute/);
  });
});

describe('tables of series', () => {
  it('have a row a series and the class last, first, or in the column that is named', () => {
    const csv = readSeriesTable(bytesOf('1,2,a\n3,4,b\n'), 'x.csv', { header: false });
    expect(csv.series).toEqual([
      { label: 'a', channels: [Float64Array.of(1, 2)] },
      { label: 'b', channels: [Float64Array.of(3, 4)] },
    ]);
    const tsv = readSeriesTable(bytesOf('1\t0.5\t2\n2\t0.5\t3\n'), 'x.tsv', { header: false });
    expect(tsv.series.map(({ label }) => label)).toEqual(['1', '2']);
    const named = readSeriesTable(bytesOf('kind,t0,t1\nu,5,6\nv,7,8\n'), 'x.csv', { header: true, label: 'kind' });
    expect(numbersOf(named.series[1]!.channels)).toEqual([[7, 8]]);
    expect(() => readSeriesTable(bytesOf('1,2,a\n'), 'x.csv', { header: false, label: '9' })).toThrow(
      /expected --label to be one of its columns .*1 to 3.*got '9'/,
    );
  });

  it('have no class where a row is as long as the signals of the model', () => {
    const { series } = readSeriesTable(bytesOf('1,2,3\n4,5,6\n'), 'x.csv', { header: false, length: 3 });
    expect(series).toEqual([
      { label: undefined, channels: [Float64Array.of(1, 2, 3)] },
      { label: undefined, channels: [Float64Array.of(4, 5, 6)] },
    ]);
  });

  it('have rows of all series in the order of time, with an id', () => {
    const text = 'id,time,x,y,kind\na,0,1,2,p\nb,0,5,6,q\na,1,3,4,p\n';
    const options = { header: true, id: 'id', label: 'kind' };
    const { series, channelNames } = readSeriesTable(bytesOf(text), 'x.csv', options);
    expect(channelNames).toEqual(['x', 'y']);
    expect(series.map(({ label, channels }) => [label, numbersOf(channels)])).toEqual([
      [
        'p',
        [
          [1, 3],
          [2, 4],
        ],
      ],
      ['q', [[5], [6]]],
    ]);
    expect(() => readSeriesTable(bytesOf(text.replace('4,p', '4,q')), 'x.csv', options)).toThrow(
      /one class for series/,
    );
  });
});

describe('preparing', () => {
  const inputs: SignalInputs = { kind: 'signal', channels: ['a', 'b'], length: 4, standardise: 'none' };
  const of = (channels: number[][], how = inputs) => [...prepareSeries({ channels }, how)];

  it('fills gaps on the line between neighbours, and stretches to the length', () => {
    const { NaN: gap } = Number;
    expect(
      of([
        [1, gap, gap, 4],
        [gap, 2, 2, gap],
      ]),
    ).toEqual([1, 2, 2, 2, 3, 2, 4, 2]);
    expect(
      of([
        [0, 3],
        [gap, gap],
      ]),
    ).toEqual([0, 0, 1, 0, 2, 0, 3, 0]);
    expect(() => of([[1, 2, 3, 4]])).toThrow(/expected 2 channels, got 1/);
  });

  it('standardises each channel; one that hardly varies becomes 0', () => {
    const made = of(
      [
        [1, 3, 1, 3],
        [7, 7, 7, 7],
      ],
      { ...inputs, standardise: 'series' },
    );
    expect(made).toEqual([-1, 0, 1, 0, -1, 0, 1, 0]);
  });
});

describe('generated signals', () => {
  it('are those of their definitions: shapes, levels and trends', () => {
    const { train, test } = makeSyntheticSignals('cbf');
    expect([train.series.length, test.series.length]).toEqual([30, 900]);
    const meanOf = (name: string, from: number, to: number) => {
      const own = test.series.filter(({ label }) => label === name);
      const values = own.flatMap(({ channels }) => Array.from(channels[0]!).slice(from, to));
      return values.reduce((sum, value) => sum + value / values.length, 0);
    };
    // Every shape covers samples 33 to 48. A cylinder is high from its start, a bell rises, a funnel falls.
    expect(meanOf('cylinder', 32, 48)).toBeCloseTo(6, 0);
    expect(meanOf('bell', 32, 48)).toBeLessThan(2);
    expect(meanOf('funnel', 32, 48)).toBeGreaterThan(4);
    for (const name of ['cylinder', 'bell', 'funnel']) expect(Math.abs(meanOf(name, 0, 15))).toBeLessThan(0.1);
    const control = makeSyntheticSignals('synthetic-control').test.series;
    const last = (name: string) => {
      const own = control.filter(({ label }) => label === name);
      return own.reduce((sum, { channels }) => sum + channels[0]![59]! / own.length, 0);
    };
    expect(last('normal')).toBeCloseTo(30, -0.5);
    expect(last('increasing')).toBeGreaterThan(42);
    expect(last('decreasing')).toBeLessThan(18);
    expect(last('upward shift')).toBeGreaterThan(37);
    expect(last('downward shift')).toBeLessThan(23);
  });

  it('are the same for a seed, and others for another', () => {
    const one = makeSyntheticSignals('cbf', 1).train.series[0]!.channels[0]!;
    expect(makeSyntheticSignals('cbf', 1).train.series[0]!.channels[0]).toEqual(one);
    expect(makeSyntheticSignals('cbf', 2).train.series[0]!.channels[0]).not.toEqual(one);
    expect(makeSyntheticSignals('cbf', 1).test.series[0]!.channels[0]).not.toEqual(one);
  });
});

describe('fitSignals', () => {
  const { train, test } = signalData(makeSyntheticSignals('cbf'));

  it('classifies cylinders, bells and funnels, from a file too, by the model file alone', async () => {
    const context = await createContext({ backend: 'cpu', threads: 1 });
    const model = readModel(saveModel(await fitSignals(context, train, { features: 500 }), { dtype: 'F16' }));
    expect((await evaluate(context, model, test)).accuracy).toBeGreaterThan(0.97);
    expect(preparationOf(model)).toEqual(train.preparation);
    // `classify` prepares raw samples as the training data was: other levels, scales, lengths and gaps.
    const predictor = await createPredictor(context, model);
    const { series } = makeSyntheticSignals('cbf').test;
    for (const { channels, label } of series.slice(0, 6)) {
      const raw = Array.from(channels[0]!, (value) => 1000 + 50 * value);
      const [name] = preparationOf(model)!.inputs.kind === 'signal' ? ['channel 1'] : [];
      const best = async (input: unknown) => (await predictor.classify(input as never, { top: 1 }))[0]!;
      expect(await best(raw)).toMatchObject({ label });
      expect(await best({ [name!]: raw.map((value, i) => (i % 20 === 7 ? Number.NaN : value)) })).toMatchObject({
        label,
      });
      expect(await best({ [name!]: raw.flatMap((value) => [value, value]) })).toMatchObject({ label });
    }
    await expect(predictor.classify([1, 2, 3])).rejects.toThrow(/expected a signal of 128 samples .*got 3 numbers/);
    await expect(predictor.classify({ other: [1] })).rejects.toThrow(/got none called 'channel 1'/);
    await expect(predictor.classify({ 'channel 1': ['a'] } as never)).rejects.toThrow(/got string at index 0/);
    context.dispose();
  });

  it('rounds to I8 as the file does, and keeps the mean scores of training signals', async () => {
    const context = await createContext({ backend: 'cpu', threads: 1 });
    const options = { features: 64, weights: 'binary' } as const;
    const [full, rounded] = [
      await fitSignals(context, train, options),
      await fitSignals(context, train, { ...options, dtype: 'I8' }),
    ];
    const file = readModel(saveModel(rounded, { dtype: 'I8' }));
    expect(file.parameters.get('layers.1.weight')).toEqual(rounded.parameters.get('layers.1.weight'));
    expect(file.parameters.get('layers.1.weight')).not.toEqual(full.parameters.get('layers.1.weight'));
    const means = async (model: typeof full) => {
      const scores = await (await createPredictor(context, model)).predict(train.features as Float32Array);
      return [0, 1, 2].map((k) => scores.filter((_, i) => i % 3 === k).reduce((sum, s) => sum + s / train.rows, 0));
    };
    const [want, got] = [await means(full), await means(rounded)];
    for (const [k, mean] of got.entries()) expect(Math.abs(mean - want[k]!)).toBeLessThan(1e-4);
    context.dispose();
  });

  it('gives the same classes on WebGPU and on the CPU', async () => {
    const cpu = await createContext({ backend: 'cpu', threads: 1 });
    const gpu = await testContext();
    const options = { features: 64, weights: 'binary', pools: ['ppv', 'max'] } as const;
    const [own, other] = [await fitSignals(cpu, train, options), await fitSignals(gpu, train, options)];
    expect(other.parameters.get('layers.0.b')).toEqual(own.parameters.get('layers.0.b')); // made on the host
    const rows = 60;
    const features = (test.features as Float32Array).slice(0, rows * 128);
    const classes = async (context: typeof cpu | typeof gpu, model: typeof own) => {
      const logits = await (await createPredictor(context, model)).predict(features);
      return Array.from({ length: rows }, (_, row) => {
        const scores = [...logits.subarray(3 * row, 3 * row + 3)];
        return scores.indexOf(Math.max(...scores));
      });
    };
    const wanted = await classes(cpu, own);
    expect(await classes(gpu, own)).toEqual(wanted);
    const same = (await classes(gpu, other)).filter((label, i) => label === wanted[i]).length;
    expect(same).toBeGreaterThanOrEqual(rows - 2); // a feature that rounds otherwise may move a row on the border
    cpu.dispose();
  });

  it.each([40, 128, 200])('classifies windows of a stream %i samples apart as signals alone', async (hop) => {
    const context = await createContext({ backend: 'cpu', threads: 1 });
    const predictor = await createPredictor(context, await fitSignals(context, train, { features: 32 }));
    const { series } = makeSyntheticSignals('cbf').test;
    const samples = series.slice(0, 5).flatMap(({ channels }) => Array.from(channels[0]!, Math.fround));
    const want: number[] = [];
    for (let start = 0; start + 128 <= samples.length; start += hop) {
      const values = samples.slice(start, start + 128);
      want.push(
        ...(await predictor.predict(
          prepareSeries({ channels: [values] }, preparationOf(predictor.model)!.inputs as SignalInputs),
        )),
      );
    }
    const stream = signalStream(predictor, { hop });
    const got: number[] = [];
    for (let at = 0; at < samples.length; at += 37) got.push(...(await stream.push(samples.slice(at, at + 37))));
    expect(got).toEqual(want);
    expect((await stream.push([])).length).toBe(0);
    stream.clear();
    expect((await stream.push(samples.slice(0, 127))).length).toBe(0);
    expect(await stream.push([samples[127]!])).toEqual(Float32Array.from(want.slice(0, 3)));
    expect(() => signalStream(predictor, { hop: 0 })).toThrow(/expected a hop of 1 or more, got 0/);
    context.dispose();
  });

  it('refuses what it can not fit by name', async () => {
    const context = await createContext({ backend: 'cpu', threads: 1 });
    const numbers = dataSet({ features: new Float32Array(8), shape: [4], targets: [1, 2] });
    await expect(fitSignals(context, numbers)).rejects.toThrow(/expected signals of 2 classes or more, got targets/);
    await expect(fitSignals(context, train, { feature: 5 } as never)).rejects.toThrow(/unknown option 'feature'/);
    await expect(fitSignals(context, train, { features: 0 })).rejects.toThrow(ShapeError);
    expect(() => randomKernels1d({ units: 4, taps: 99 })).toThrow(/expected 2 to 15 taps, got 99/);
    context.dispose();
  });
});

describe('the command line', () => {
  const cli = join(import.meta.dirname, '../dist/cli.js');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [cli, ...args, '--backend', 'cpu'], { encoding: 'utf8', cwd: folder, timeout: 60_000 });

  it('trains on a folder, evaluates, predicts from the model alone, and refuses idle options', async () => {
    mkdirSync(join(folder, 'Toy'));
    const wave = (kind: string, row: number, samples = 40) =>
      Array.from({ length: samples }, (_, i) =>
        Math.sin((i * (kind === 'fast' ? 5 : 2) * 40) / samples / 10 + row).toFixed(4),
      );
    const rows = (count: number, offset: number) =>
      Array.from({ length: count }, (_, row) => {
        const kind = row % 2 ? 'fast' : 'slow';
        return `${wave(kind, row + offset, row === 3 ? 32 : 40).join()}:${kind}`;
      });
    const head = '@problemName Toy\n@classLabel true slow fast\n@data\n';
    writeFileSync(join(folder, 'Toy/Toy_TRAIN.ts'), head + rows(20, 0).join('\n'));
    writeFileSync(join(folder, 'Toy/Toy_TEST.ts'), head + rows(12, 0.5).join('\n'));
    expect((await openSignalFolder(join(folder, 'Toy'))).train.series).toHaveLength(20);
    const trained = run(
      'train',
      '--data-dir',
      'Toy',
      '--task',
      'signals',
      '--seeds',
      '2',
      '--out',
      'toy.safetensors',
      '--json',
    );
    expect(trained.status, trained.stderr).toBe(0);
    const summary = JSON.parse(trained.stdout);
    expect(summary.accuracy).toBe(1);
    expect(summary).toMatchObject({ std: 0, modelBytes: expect.any(Number), seconds: expect.any(Number) });
    expect(JSON.parse(run('eval', 'toy.safetensors', '--data-dir', 'Toy', '--json').stdout).accuracy).toBe(1);
    writeFileSync(join(folder, 'new.csv'), [wave('fast', 3), wave('slow', 9)].map((row) => row.join()).join('\n'));
    const predicted = run('predict', 'toy.safetensors', 'new.csv', '--header', 'no', '--json');
    expect(JSON.parse(predicted.stdout)).toMatchObject([{ name: 'fast' }, { name: 'slow' }]);
    const picture = run('predict', 'toy.safetensors', 'new.png');
    expect(picture.stderr).toMatch(/expected a file of signals/);
    const idle = run('train', '--task', 'signals', '--data', 'cbf', '--epochs', '3', '--units', '5');
    expect([idle.status, idle.stderr]).toEqual([2, expect.stringMatching(/no use for .*--units.*--epochs/)]);
    expect(run('train', '--task', 'signals').stderr).toMatch(/expected signals: .*got --data mnist/);
  });

  it('takes channels in the millions, whose numbers fit into a small file', () => {
    const rows = Array.from({ length: 20 }, (_, row) => {
      const channel = (size: number) =>
        Array.from({ length: 24 }, (_, i) => Math.round(size * Math.sin(i * (row % 2 ? 1.3 : 0.4) + row)));
      return `${channel(4e6).join()}:${channel(2e6).join()}:${row % 2 ? 'fast' : 'slow'}`;
    });
    const text = `@problemName Wide\n@classLabel true slow fast\n@data\n${rows.join('\n')}\n`;
    mkdirSync(join(folder, 'Wide'));
    for (const part of ['TRAIN', 'TEST']) writeFileSync(join(folder, `Wide/Wide_${part}.ts`), text);
    const trained = run('train', '--data-dir', 'Wide', '--task', 'signals', '--out', 'wide.safetensors', '--json');
    expect(trained.status, trained.stderr).toBe(0);
    expect(JSON.parse(trained.stdout).accuracy).toBe(1);
    const { parameters } = readModel(readFileSync(join(folder, 'wide.safetensors')));
    expect(parameters.get('layers.0.b')!.every((bias) => Math.abs(bias) < 100)).toBe(true);
    expect(JSON.parse(trained.stdout).modelBytes).toBeLessThan(20_000);
    expect(JSON.parse(run('eval', 'wide.safetensors', '--data-dir', 'Wide', '--json').stdout).accuracy).toBe(1);
  });
});
