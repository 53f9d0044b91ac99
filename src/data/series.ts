/** Labelled time series as files hold them, and how they become inputs of one length. */
import { DataError } from '../core/errors.ts';
import type { SignalInputs } from '../model/preparation.ts';

/** One series of one or more channels, whose lengths may differ. A gap is NaN. */
export interface Series {
  readonly channels: readonly ArrayLike<number>[];
  /** Its class; undefined where the file has none. */
  readonly label: string | undefined;
}

/** The series of a file. */
export interface SeriesFile {
  readonly series: readonly Series[];
  /** Names of the channels, where the file has them. */
  readonly channelNames?: readonly string[];
  /** The classes that the file declares, in its order. */
  readonly classes?: readonly string[];
}

/** Samples of a series: of its longest channel, without the gaps that all channels end with. */
export function lengthOf({ channels }: Pick<Series, 'channels'>): number {
  let length = channels.reduce((most, channel) => Math.max(most, channel.length), 0);
  while (length > 0 && channels.every((channel) => !Number.isFinite(channel[length - 1] ?? Number.NaN))) length--;
  return length;
}

/**
 * A series as the input of a model, (length, channels) row-major. A gap takes the value on the line between its
 * neighbours, or that of its only neighbour; a channel of gaps alone is 0. A series of another length than the model's is
 * stretched to it, by linear interpolation between its samples. Then, with 'series', each channel gets mean 0 and
 * standard deviation 1; one that hardly varies becomes 0. With 'training', the means and deviations of `inputs` do that.
 * Throws `DataError` for another number of channels.
 */
export function prepareSeries(series: Pick<Series, 'channels'>, inputs: SignalInputs): Float32Array<ArrayBuffer> {
  const { length, channels: names, standardise, means, deviations } = inputs;
  if (series.channels.length !== names.length) {
    throw new DataError(`signals: expected ${names.length} channels, got ${series.channels.length}`);
  }
  const from = lengthOf(series);
  const out = new Float32Array(length * names.length);
  for (const [c, channel] of series.channels.entries()) {
    const values = stretched(withoutGaps(channel, from), length);
    const given = { mean: means?.[c] ?? 0, factor: 1 / (deviations?.[c] ?? 1) };
    const { mean, factor } = standardise === 'series' ? standardOf(values) : given;
    for (let i = 0; i < length; i++) out[i * names.length + c] = (values[i]! - mean) * factor;
  }
  return out;
}

/** The first `length` samples, gaps filled. */
function withoutGaps(channel: ArrayLike<number>, length: number): Float64Array {
  const values = new Float64Array(Math.max(1, length));
  let last = -1; // the last sample that is there
  for (let i = 0; i < length; i++) {
    const value = channel[i] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    const before = last < 0 ? value : values[last]!;
    for (let j = last + 1; j < i; j++) values[j] = before + ((value - before) * (j - last)) / (i - last);
    values[i] = value;
    last = i;
  }
  if (last >= 0) values.fill(values[last]!, last + 1);
  return values;
}

function stretched(values: Float64Array, length: number): Float64Array {
  if (values.length === length) return values;
  const step = length > 1 ? (values.length - 1) / (length - 1) : 0;
  return Float64Array.from({ length }, (_, i) => {
    const at = Math.min(Math.floor(i * step), values.length - 1);
    const next = Math.min(at + 1, values.length - 1);
    return values[at]! + (i * step - at) * (values[next]! - values[at]!);
  });
}

function standardOf(values: Float64Array): { mean: number; factor: number } {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
  return { mean, factor: deviation > 1e-8 * (1 + Math.abs(mean)) ? 1 / deviation : 0 };
}
