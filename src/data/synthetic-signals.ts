/** Signals generated from published definitions, so that tests and newcomers need no download. */
import { philox4x32 } from '../weights/stream.ts';
import type { Series, SeriesFile } from './series.ts';

/** Draws numbers one after another, by the strong hash of the weight stream. */
class Draws {
  readonly #key: readonly [number, number];
  #count = 0;

  /** Another `stream` is another sequence. */
  constructor(seed: number, stream: number) {
    this.#key = [seed >>> 0, stream];
  }

  /** Evenly from `from` up to, but not including, `to`. */
  uniform(from: number, to: number): number {
    const [high, low] = philox4x32([this.#count++, 0, 7, 1], this.#key);
    return from + (to - from) * ((high * 2 ** 21 + (low >>> 11)) / 2 ** 53);
  }

  /** A whole number from `from` to `to`. */
  whole(from: number, to: number): number {
    return Math.floor(this.uniform(from, to + 1));
  }

  /** A number of the standard normal distribution (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform(0, 1)));
    return radius * Math.cos(2 * Math.PI * this.uniform(0, 1));
  }
}

/** A data set: its classes, and how a series of a class comes about. */
interface Recipe {
  readonly title: string;
  readonly classes: readonly string[];
  readonly rows: { readonly train: number; readonly test: number };
  make(label: number, draws: Draws): Float64Array;
}

const CBF_LENGTH = 128;
const CONTROL_LENGTH = 60;

/** (6 + eta) * shape(t) from a to b, plus noise; a from 16 to 32, b - a from 32 to 96, eta and noise standard normal. */
function cylinderBellFunnel(label: number, draws: Draws): Float64Array {
  const a = draws.whole(16, 32);
  const b = a + draws.whole(32, 96);
  const height = 6 + draws.normal();
  return Float64Array.from({ length: CBF_LENGTH }, (_, i) => {
    const t = i + 1;
    const shape = [1, (t - a) / (b - a), (b - t) / (b - a)][label]!;
    return (t >= a && t <= b ? height * shape : 0) + draws.normal();
  });
}

/** 30 plus noise within 6 of it, plus nothing, a cycle, a trend or a shift. */
function controlChart(label: number, draws: Draws): Float64Array {
  const noise = Float64Array.from({ length: CONTROL_LENGTH }, () => 30 + 2 * draws.uniform(-3, 3));
  const [amplitude, period] = [draws.uniform(10, 15), draws.uniform(10, 15)];
  const gradient = draws.uniform(0.2, 0.5);
  const [shift, from] = [draws.uniform(7.5, 20), draws.uniform(CONTROL_LENGTH / 3, (2 * CONTROL_LENGTH) / 3)];
  const added = [
    () => 0,
    (t: number) => amplitude * Math.sin((2 * Math.PI * t) / period),
    (t: number) => gradient * t,
    (t: number) => -gradient * t,
    (t: number) => (t >= from ? shift : 0),
    (t: number) => (t >= from ? -shift : 0),
  ][label]!;
  return noise.map((value, i) => value + added(i + 1));
}

export const syntheticSignals = {
  cbf: {
    title: 'cylinder, bell, funnel (Saito, 1994)',
    classes: ['cylinder', 'bell', 'funnel'],
    rows: { train: 30, test: 900 },
    make: cylinderBellFunnel,
  },
  'synthetic-control': {
    title: 'synthetic control charts (Alcock, Manolopoulos, 1999)',
    classes: ['normal', 'cyclic', 'increasing', 'decreasing', 'upward shift', 'downward shift'],
    rows: { train: 300, test: 300 },
    make: controlChart,
  },
} as const satisfies Record<string, Recipe>;

export type SyntheticSignals = keyof typeof syntheticSignals;

export const syntheticSignalNames = Object.keys(syntheticSignals) as SyntheticSignals[];

/** The training and the test part of a data set. Another seed draws other series. */
export function makeSyntheticSignals(name: SyntheticSignals, seed = 0): { train: SeriesFile; test: SeriesFile } {
  const { classes, rows, make }: Recipe = syntheticSignals[name];
  const part = (count: number, stream: number): SeriesFile => {
    const draws = new Draws(seed, stream);
    const series = Array.from({ length: count }, (_, i): Series => {
      const label = i % classes.length;
      return { channels: [make(label, draws)], label: classes[label]! };
    });
    return { series, classes };
  };
  return { train: part(rows.train, 0), test: part(rows.test, 1) };
}
