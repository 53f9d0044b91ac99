/** Generators of small tables for each task, as rows of numbers. */
import { numbers } from './kernels/harness.ts';

export interface TaskRows {
  readonly columns: readonly string[];
  readonly features: readonly (readonly number[])[];
  /** Of each row: the targets, or 0 and 1 for each label. */
  readonly targets: readonly (readonly number[])[];
}

const uniform = (count: number, seed: number) => Array.from(numbers(count, seed), (value) => (value + 1) / 2);

/** y = sin(3 x) + noise, x from -2 to 2. */
export function sine(rows: number, seed = 1): TaskRows {
  const x = uniform(rows, seed).map((value) => 4 * value - 2);
  const noise = uniform(2 * rows, seed + 100);
  const targets = x.map((value, i) => [Math.sin(3 * value) + 0.2 * (noise[2 * i]! + noise[2 * i + 1]! - 1)]);
  return { columns: ['x'], features: x.map((value) => [value]), targets };
}

/** Prices of houses by income, age, rooms, people and place, in units of 100,000 as in the California housing data. */
export function housing(rows: number, seed = 2): TaskRows {
  const columns = ['income', 'age', 'rooms', 'people', 'latitude', 'longitude'];
  const draws = columns.map((_, i) => uniform(rows, seed + 10 * i));
  const noise = uniform(2 * rows, seed + 100);
  const features = Array.from({ length: rows }, (_, i) => {
    const [income, age, crowd, people, north, west] = draws.map((draw) => draw[i]!) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    return [
      0.5 + 9 * income ** 2,
      1 + Math.round(50 * age),
      3 + 4 * crowd,
      1.5 + 3 * people,
      32.5 + 9.5 * north,
      -124.3 + 10 * west,
    ];
  });
  const targets = features.map(([income, age, rooms, people, latitude, longitude], i) => {
    const coast = Math.exp(-((latitude! - 34 + 0.8 * (longitude! + 118)) ** 2) / 4);
    const worth = 0.4 * income! + 1.2 * coast + 0.005 * age! + 0.1 * rooms! - 0.2 * people!;
    return [worth + 0.4 * (noise[2 * i]! + noise[2 * i + 1]! - 1)];
  });
  return { columns, features, targets };
}

export const ticketLabels = ['billing', 'legal', 'urgent'] as const;

/** Tickets of a help desk with any number of three labels; every label depends on other features, a bit noisily. */
export function tickets(rows: number, seed = 3): TaskRows {
  const columns = ['amount', 'words', 'hour', 'replies'];
  const features = Array.from({ length: rows }, (_, i) => [...numbers(4, seed + 7 * i)]);
  const noise = numbers(3 * rows, seed + 5);
  const targets = features.map(([amount, words, hour, replies], i) =>
    [amount! + 0.5 * words!, words! * replies! - 0.1, hour! - replies! - 0.4].map((score, label) =>
      Number(score + 0.1 * noise[3 * i + label]! > 0),
    ),
  );
  return { columns, features, targets };
}

/** Rows of two classes of which the second is one in a hundred: its rows lie at the edge of the others. */
export function rare(rows: number, seed = 4): { columns: string[]; features: number[][]; labels: number[] } {
  const columns = Array.from({ length: 8 }, (_, i) => `sensor${i + 1}`);
  const labels = Array.from({ length: rows }, (_, i) => Number(i % 100 === 37));
  const noise = numbers(24 * rows, seed);
  const features = labels.map((label, i) =>
    columns.map((_, j) => {
      const at = 3 * (8 * i + j);
      return noise[at]! + noise[at + 1]! + noise[at + 2]! + (j < 3 ? 1.8 * label : 0);
    }),
  );
  return { columns, features, labels };
}
