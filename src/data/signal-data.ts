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

/**
 * Both parts, prepared as `inputs` of a model says. Default: with the length of the longest training series; those of one
 * channel are standardised, several are not, as their levels often tell classes apart. Throws `DataError`.
 */
export function signalData({ train, test }: SignalParts, inputs = inputsOf(train)): SignalData {
  const classes = sorted(new Set(train.series.map(({ label }) => labelled(label, 'training'))));
  if (classes.length < 2 || classes.length > limits.classes) {
    throw new DataError(`signals: expected 2 to ${limits.classes} classes, got ${classes.length}`);
  }
  return { train: part(train, inputs, classes), test: part(test, inputs, classes), inputs, classes };
}

function inputsOf({ series, channelNames }: SeriesFile): SignalInputs {
  const count = series[0]!.channels.length;
  return {
    kind: 'signal',
    channels: channelNames ?? Array.from({ length: count }, (_, c) => `channel ${c + 1}`),
    length: series.reduce((most, one) => Math.max(most, lengthOf(one)), 1),
    standardise: count === 1 ? 'series' : 'none',
  };
}

function labelled(label: string | undefined, part: string): string {
  if (label !== undefined) return label;
  throw new DataError(`signals: expected a class for each ${part} series, got a file without classes`);
}

function part({ series }: SeriesFile, inputs: SignalInputs, classes: readonly string[]): DataSet {
  const size = inputs.length * inputs.channels.length;
  if (size * series.length > limits.inputs) {
    throw new DataError(`signals: expected at most ${limits.inputs} numbers, got ${series.length} series of ${size}`);
  }
  const features = new Float32Array(size * series.length);
  const numbers = new Map(classes.map((name, i) => [name, i]));
  const labels = series.map((one, i) => {
    features.set(prepareSeries(one, inputs), i * size);
    const number = numbers.get(labelled(one.label, 'test'));
    if (number !== undefined) return number;
    throw new DataError(
      `signals: expected the classes of the training part (${classes.slice(0, 6).join(', ')}), got ${quoted(one.label)}`,
    );
  });
  const preparation = { inputs, outputs: { task: 'classification', classes } } as const;
  return dataSet({ features, shape: [inputs.length, inputs.channels.length], labels, preparation });
}
