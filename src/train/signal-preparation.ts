/** How signals of a training part are standardised: by leave-one-out errors of small models. */
import type { Backend } from '../backend/backend.ts';
import type { SeriesFile } from '../data/series.ts';
import { classesOf, isStandardised, signalInputs, signalSet } from '../data/signal-data.ts';
import type { SignalInputs } from '../model/preparation.ts';
import { signalError } from './signals.ts';

/** Signals that are compared, at most, and features of each comparison. */
const ROWS = 400;
const FEATURES = 500;

/** The other way is taken where its error is at most this share of the default's. */
const CLEARLY_LESS = 0.9;

/**
 * Inputs for these signals. The default of one channel is to standardise each signal, that of several to standardise each
 * channel over all signals, so that their levels still tell classes apart. Throws `DataError`.
 */
export async function fittedSignalInputs(backend: Backend, train: SeriesFile): Promise<SignalInputs> {
  const usual = signalInputs(train);
  if (usual.standardise === 'series' && isStandardised(train)) return usual;
  const classes = classesOf(train);
  const sample = sampleOf(train);
  if (!sample) return usual;
  const errorOf = (inputs: SignalInputs) => signalError(backend, signalSet(sample, inputs, classes), FEATURES);
  const other = signalInputs(train, usual.standardise === 'series' ? 'training' : 'series');
  return (await errorOf(other)) < CLEARLY_LESS * (await errorOf(usual)) ? other : usual;
}

/** Evenly spaced signals, sorted by class; undefined where most of them are the only one of their class. */
function sampleOf({ series, ...file }: SeriesFile): SeriesFile | undefined {
  const sorted = [...series].sort((a, b) => (a.label! < b.label! ? -1 : a.label! > b.label! ? 1 : 0));
  const count = Math.min(ROWS, sorted.length);
  const sample = Array.from({ length: count }, (_, i) => sorted[Math.floor((i * sorted.length) / count)]!);
  const counts = new Map<string, number>();
  for (const { label } of sample) counts.set(label!, (counts.get(label!) ?? 0) + 1);
  const alone = sample.filter(({ label }) => counts.get(label!) === 1).length;
  return 2 * alone > count ? undefined : { series: sample, ...file };
}
