/** Signals unlike the bundled ones: levels that matter, channels of other sizes, lone rows, many classes. */
import { afterAll, describe, expect, it } from 'vitest';
import { DataError, OptionError } from '../src/core/errors.ts';
import { readArff } from '../src/data/arff.ts';
import { dataSet } from '../src/data/dataset.ts';
import type { SeriesFile } from '../src/data/series.ts';
import { signalData, signalInputs } from '../src/data/signal-data.ts';
import { readTsFile } from '../src/data/ts-file.ts';
import { predictionLimits } from '../src/model/limits.ts';
import { preparationOf, setPreparation } from '../src/model/preparation-metadata.ts';
import { readModel } from '../src/model/safetensors.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { fitSignals } from '../src/signals.ts';
import { lowRank, product } from '../src/solve/low-rank.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { fittedSignalInputs } from '../src/train/signal-preparation.ts';
import { MOST_CHANNELS } from '../src/weights/random-kernels.ts';
import { philox4x32 } from '../src/weights/stream.ts';
import { sizeOf } from '../tools/cli/train-signals.ts';

const context = await createContext({ backend: 'cpu', threads: 1 });
afterAll(() => context.dispose());

let count = 0;
/** Evenly from -1 to 1. */
const draw = () => philox4x32([count++, 0, 9, 1], [1, 2])[0] / 2 ** 31 - 1;

/** `rows` series of each class, made by `channel(class, channel number)`. */
function seriesOf(
  rows: number,
  { classes, channels = 1, length = 40 }: { classes: number; channels?: number; length?: number },
  value: (label: number, channel: number, i: number) => number,
): SeriesFile {
  const series = Array.from({ length: rows * classes }, (_, row) => ({
    label: String(row % classes),
    channels: Array.from({ length: channels }, (_, c) =>
      Float64Array.from({ length }, (_, i) => value(row % classes, c, i)),
    ),
  }));
  return { series };
}

const partsOf = (make: () => SeriesFile) => ({ train: make(), test: make() });

async function accuracyOf(parts: { train: SeriesFile; test: SeriesFile }, features = 200): Promise<number> {
  const inputs = await fittedSignalInputs(context, parts.train);
  const { train, test } = signalData(parts, inputs);
  const model = readModel(saveModel(await fitSignals(context, train, { features }), { dtype: 'F16' }));
  return (await evaluate(context, model, test)).accuracy;
}

describe('standardising', () => {
  it('keeps levels and sizes where they tell classes apart', async () => {
    const parts = partsOf(() => seriesOf(12, { classes: 2 }, (label) => 500 + 20 * draw() * (1 + label)));
    const inputs = await fittedSignalInputs(context, parts.train);
    expect(inputs.standardise).toBe('training');
    expect(await accuracyOf(parts)).toBeGreaterThan(0.95);
  });

  it('is by series where levels and sizes vary within classes', async () => {
    const make = () => {
      const file = seriesOf(12, { classes: 2 }, (label, _, i) => Math.sin(i * (label ? 1.4 : 0.6)) + 0.3 * draw());
      const series = file.series.map(({ label, channels }) => {
        const [size, level] = [10 ** (2 * draw()), 100 * draw()];
        return { label, channels: channels.map((channel) => Array.from(channel, (v) => level + size * v)) };
      });
      return { series };
    };
    const parts = partsOf(make);
    expect((await fittedSignalInputs(context, parts.train)).standardise).toBe('series');
    expect(await accuracyOf(parts)).toBe(1);
  });

  it('gives channels of any size the same weight', async () => {
    // The channel that tells is a millionth of the others.
    const parts = partsOf(() =>
      seriesOf(20, { classes: 2, channels: 3 }, (label, c, i) =>
        c === 1 ? 1e-3 * (Math.sin(i * (label ? 1.4 : 0.6)) + 0.3 * draw()) : 1e3 * draw(),
      ),
    );
    expect(await accuracyOf(parts)).toBeGreaterThan(0.95);
    const { means, deviations } = signalInputs(parts.train);
    expect(deviations!.map((deviation) => Math.round(Math.log10(deviation)))).toEqual([3, -3, 3]);
    expect(means).toHaveLength(3);
  });

  it('by the training part is kept in the model file, and has to fit the channels', async () => {
    const parts = partsOf(() => seriesOf(4, { classes: 2, channels: 2 }, (label, c, i) => label + c + i + draw()));
    const { train, inputs } = signalData(parts);
    const model = readModel(saveModel(await fitSignals(context, train, { features: 8 })));
    expect(preparationOf(model)!.inputs).toEqual(inputs);
    const { outputs } = train.preparation!;
    for (const wrong of [{ means: [1] }, { standardise: 'none' as const }, { deviations: [] }]) {
      expect(() => setPreparation(model, { inputs: { ...inputs, ...wrong }, outputs })).toThrow(/means and deviations/);
    }
    expect(() => setPreparation(model, { inputs: { ...inputs, deviations: [1, 0] }, outputs })).toThrow(/above 0/);
  });
});

describe('odd files', () => {
  it('.arff: relational attributes with their own declarations, quotes, and the class first', () => {
    const many = readArff(
      `@RELATION 'a b'\n@ATTRIBUTE rel relational\n@attribute t0 numeric\n@attribute t1 {x}\n@end rel\n` +
        `@attribute kind {-1, 1}\n@DATA\n"1,2\\n3,?",-1\n`,
      'a.arff',
    );
    expect(many.classes).toEqual(['-1', '1']);
    expect(many.series).toEqual([{ label: '-1', channels: [Float64Array.of(1, 2), Float64Array.of(3, Number.NaN)] }]);
    const first = readArff(
      `@attribute kind {a, 'b c'}\n@attribute t0 real\n@attribute t1 real\n@data\n'b c',1,2\n`,
      'b.arff',
    );
    expect(first.series).toEqual([{ label: 'b c', channels: [Float64Array.of(1, 2)] }]);
    const between = '@attribute t0 real\n@attribute kind {a, b}\n@attribute t1 real\n@data\n1,a,2\n';
    expect(() => readArff(between, 'c.arff')).toThrow(/first or the last attribute, got it as number 2/);
  });

  it('.ts: headers in any case with tabs, comments and lists; negative classes; numbers written otherwise', () => {
    const text =
      '\uFEFF%c\n@PROBLEMNAME x\n@timestamps\tFALSE\n@ClassLabel\tTRUE -1 1\n@DATA\n1,2,3:-1\n NaN , ,2 : 1 \n';
    const train = readTsFile(text.slice(1), 'a.ts');
    expect(train.series.map(({ label }) => label)).toEqual(['-1', '1']);
    const test = { series: train.series.map((one) => ({ ...one, label: `${one.label}.0` })) };
    expect([...signalData({ train, test }).test.labels]).toEqual([0, 1]);
  });
});

describe('classes', () => {
  it('may have a single row each', async () => {
    const parts = partsOf(() =>
      seriesOf(1, { classes: 9, length: 60 }, (label, _, i) => Math.sin(0.2 * i * (label + 1)) + 0.1 * draw()),
    );
    expect(await accuracyOf(parts)).toBe(1);
  });

  it('of the test part alone count as wrong where the header declares them, and are refused otherwise', () => {
    const { train } = partsOf(() => seriesOf(3, { classes: 2 }, draw));
    const test = { series: [{ ...train.series[0]!, label: '7' }] };
    expect(signalData({ train: { ...train, classes: ['0', '1', '7'] }, test }).classes).toEqual(['0', '1', '7']);
    expect(() => signalData({ train, test })).toThrow(/expected the classes of the training part/);
  });

  it('are not the targets of a regression', () => {
    const { series } = seriesOf(20, { classes: 2 }, draw);
    const train = { series: series.map((one) => ({ ...one, label: String(draw()) })) };
    expect(() => signalData({ train, test: train })).toThrow(DataError);
    expect(() => signalData({ train, test: train })).toThrow(/Targets of a regression have no place here/);
  });

  it('in large numbers get a linear layer of lower rank, whose file scores as well', async () => {
    const classes = 24;
    const parts = partsOf(() =>
      seriesOf(6, { classes, length: 50 }, (label, _, i) => Math.sin(0.1 * i * (1 + label)) + 0.5 * draw()),
    );
    const { train, test } = signalData(parts);
    const accuracies: number[] = [];
    for (const [rank, dtype] of [
      [classes, 'F32'],
      [12, 'I8'],
    ] as const) {
      const fitted = await fitSignals(context, train, { features: 300, weights: 'binary', rank, dtype });
      const file = readModel(saveModel(fitted, { dtype }));
      expect(file.layers).toHaveLength(rank < classes ? 3 : 2);
      accuracies.push((await evaluate(context, file, test)).accuracy);
    }
    expect(accuracies[0]).toBeGreaterThan(0.8);
    expect(accuracies[1]).toBeGreaterThan(accuracies[0]! - 0.05);
    await expect(fitSignals(context, train, { rank: 0 })).rejects.toThrow(OptionError);
  });
});

describe('a lower rank', () => {
  it('keeps the scores where they have so few directions, and the variance of most otherwise', () => {
    const [rows, columns, outputs] = [30, 8, 5];
    const features = Float32Array.from({ length: rows * columns }, draw);
    const weights = product(
      Float32Array.from({ length: columns * 2 }, draw),
      Float32Array.from({ length: 2 * outputs }, draw),
      2,
      outputs,
    );
    const { first, second } = lowRank({ weights, bias: new Float32Array(outputs) }, features, 2);
    for (const [i, weight] of product(first, second, 2, outputs).entries()) expect(weight).toBeCloseTo(weights[i]!, 5);
    const more = lowRank({ weights, bias: new Float32Array(outputs) }, features, 4); // two of them are not needed
    expect(more.first.every(Number.isFinite)).toBe(true);
    for (const [i, weight] of product(more.first, more.second, 4, outputs).entries()) {
      expect(weight).toBeCloseTo(weights[i]!, 5);
    }
  });
});

describe('a file of halves', () => {
  it('keeps a bias with large numbers in F32, so that scores stay as they are', async () => {
    const features = Float32Array.from({ length: 8 * 20 }, draw);
    const data = dataSet({ features, shape: [20], labels: [0, 1, 0, 1, 0, 1, 0, 1] });
    const model = await fitSignals(context, data, { features: 8 });
    const bias = Float32Array.of(1000.3, -43_000.7);
    model.parameters.set('layers.1.b', bias);
    for (const dtype of ['F16', 'I8'] as const) {
      expect(readModel(saveModel(model, { dtype })).parameters.get('layers.1.b')).toEqual(bias);
    }
  });
});

it.each([
  [20_000, 6, 3],
  [1_000_000, 1, 2],
  [18_000, 6, 60],
  [128, 1, 2],
])('%i samples of %i channels and %i classes get kernels that a prediction may take', (length, channels, classes) => {
  const { features } = sizeOf([length, channels], { classes, header: 2000 });
  const { multiplyAdds } = predictionLimits;
  expect(features).toBeGreaterThan(0);
  expect((features / 2) * 9 * length * Math.min(channels, MOST_CHANNELS)).toBeLessThan(multiplyAdds);
});
