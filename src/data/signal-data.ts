/** Labelled series as data sets: one length, one set of channels, numbered classes. */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import type { SignalInputs } from '../model/preparation.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { limits } from './limits.ts';
import { sorted } from './names.ts';
import { lengthOf, prepareSeries, type SeriesFile } from './series.ts';
import type { SignalParts } from './signal-folder.ts';

export interface SignalData {
  readonly train: DataSet;
  readonly test: DataSet;
  readonly inputs: SignalInputs;
  readonly classes: readonly string[];
}

/** Both parts, prepared as `inputs` of a model says; default `signalInputs`. Throws `DataError`. */
export function signalData({ train, test }: SignalParts, inputs = signalInputs(train)): SignalData {
  const classes = classesOf(train, test);
  return { train: signalSet(train, inputs, classes), test: signalSet(test, inputs, classes), inputs, classes };
}

/**
 * The classes of the training part, and those of the test part that its header declares besides. Throws `DataError` for
 * fewer than two, and for numbers that measure something.
 */
export function classesOf(train: SeriesFile, test?: SeriesFile): readonly string[] {
  const names = new Set(train.series.map(({ label }) => labelled(label, 'training')));
  expectClasses([...names], train.series.length);
  const declared = new Set(train.classes);
  for (const { label } of test?.series ?? []) if (label !== undefined && declared.has(label)) names.add(label);
  return sorted(names);
}

/** Numbers with decimals of which most stand once are targets of a regression. */
function expectClasses(names: readonly string[], rows: number): void {
  const measured = names.filter(
    (name) => name.trim() !== '' && Number.isFinite(Number(name)) && Number(name) % 1 !== 0,
  );
  if (measured.length > names.length / 2 && names.length > rows / 2) {
    throw new DataError(
      `signals: expected classes, got numbers such as ${quoted(measured[0])}, ${names.length} of them for ${rows} series. ` +
        'Targets of a regression have no place here: name ranges of them as classes.',
    );
  }
  if (names.length < 2 || names.length > limits.classes) {
    throw new DataError(`signals: expected 2 to ${limits.classes} classes, got ${names.length}`);
  }
}

/**
 * Inputs of the length of the longest training series. Default: those of one channel are standardised each by itself,
 * several channels each over all series, as their levels often tell classes apart.
 */
export function signalInputs(
  file: SeriesFile,
  standardise: 'series' | 'training' = file.series[0]!.channels.length === 1 ? 'series' : 'training',
): SignalInputs {
  const { series, channelNames } = file;
  const inputs = {
    kind: 'signal',
    channels: channelNames ?? Array.from(series[0]!.channels, (_, c) => `channel ${c + 1}`),
    length: series.reduce((most, one) => Math.max(most, lengthOf(one)), 1),
  } as const;
  return standardise === 'series' ? { ...inputs, standardise } : { ...inputs, standardise, ...momentsOf(file, inputs) };
}

/** Mean and deviation of each channel over all series, to a few digits: they are names of units, and short in a file. */
function momentsOf({ series }: SeriesFile, inputs: Omit<SignalInputs, 'standardise'>) {
  const count = inputs.channels.length;
  const [means, squares] = [new Float64Array(count), new Float64Array(count)];
  let seen = 0; // samples so far
  for (const one of series) {
    const values = prepareSeries(one, { ...inputs, standardise: 'none' });
    for (let i = 0; i < values.length; i += count) {
      seen++;
      for (let c = 0; c < count; c++) {
        const step = values[i + c]! - means[c]!;
        means[c]! += step / seen;
        squares[c]! += step * (values[i + c]! - means[c]!);
      }
    }
  }
  const rounded = (value: number) => Number(value.toPrecision(4));
  return {
    means: Array.from(means, rounded),
    // A channel that never varies stays near 0.
    deviations: Array.from(squares, (square, c) => {
      const deviation = Math.sqrt(square / seen);
      return deviation > 1e-8 * (1 + Math.abs(means[c]!)) ? rounded(deviation) : 1 + rounded(Math.abs(means[c]!));
    }),
  };
}

/** Whether every series has mean 0 and deviation 1 already, nearly. */
export const isStandardised = ({ series }: SeriesFile): boolean =>
  series.every(({ channels }) =>
    channels.every((channel) => {
      const values = Array.from(channel).filter(Number.isFinite);
      const mean = values.reduce((sum, value) => sum + value / values.length, 0);
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0);
      return Math.abs(mean) < 0.02 && Math.abs(variance - 1) < 0.05;
    }),
  );

function labelled(label: string | undefined, part: string): string {
  if (label !== undefined) return label;
  throw new DataError(`signals: expected a class for each ${part} series, got a file without classes`);
}

/** Series with numbers for their classes. Throws `DataError`. */
export function signalSet({ series }: SeriesFile, inputs: SignalInputs, classes: readonly string[]): DataSet {
  const size = inputs.length * inputs.channels.length;
  if (size * series.length > limits.inputs) {
    throw new DataError(`signals: expected at most ${limits.inputs} numbers, got ${series.length} series of ${size}`);
  }
  const features = new Float32Array(size * series.length);
  const numbers = new Map(classes.map((name, i) => [name, i]));
  // One part may write 1 where the other writes 1.0.
  const values = new Map(classes.flatMap((name, i) => (Number.isFinite(Number(name)) ? [[Number(name), i]] : [])));
  const labels = series.map((one, i) => {
    features.set(prepareSeries(one, inputs), i * size);
    const label = labelled(one.label, 'test');
    const number = numbers.get(label) ?? values.get(Number(label));
    if (number !== undefined) return number;
    throw new DataError(
      `signals: expected the classes of the training part (${classes.slice(0, 6).join(', ')}), got ${quoted(one.label)}`,
    );
  });
  const preparation = { inputs, outputs: { task: 'classification', classes } } as const;
  return dataSet({ features, shape: [inputs.length, inputs.channels.length], labels, preparation });
}
