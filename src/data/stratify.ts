/** Splits rows into a training and a test part. */
import { DataError } from '../core/errors.ts';
import { philox4x32, type Seed, splitSeed } from '../weights/stream.ts';

/** Share of the rows that becomes the test part. */
const TEST_SHARE = 0.2;

/** What a draw is for: separates the draws from each other and from every other use of Philox. */
export const draws = { test: 2, validation: 4 } as const;

/**
 * Whether each row belongs to the drawn part, which takes about `share` of each class. Content and seed of a row decide
 * alone, so that a row stays in its part when others are added or removed, and equal rows stay together. Where that would
 * leave a class without a part, one of its rows is moved: into the remaining part if all were drawn; into the drawn part if
 * none was and the class is large enough to expect one. If no row at all was drawn, one is, of a class that can spare it.
 * `contents`: a hash of each row.
 */
export function drawRows(
  contents: ArrayLike<number>,
  labels: ArrayLike<number>,
  { share, seed, draw }: { share: number; seed: Seed; draw: keyof typeof draws },
): boolean[] {
  const { low, high } = splitSeed(seed);
  const words = Array.from(contents, (content) => philox4x32([content, 0, draws[draw], 1], [low, high])[0]);
  const drawn = words.map((word) => word < share * 2 ** 32);
  const byClass = new Map<number, { rows: number; drawn: number; first: number; last: number }>();
  for (const [row, word] of words.entries()) {
    const label = labels[row]!;
    const found = byClass.get(label) ?? { rows: 0, drawn: 0, first: row, last: row };
    byClass.set(label, {
      rows: found.rows + 1,
      drawn: found.drawn + Number(drawn[row]),
      first: word < words[found.first]! ? row : found.first,
      last: word > words[found.last]! ? row : found.last,
    });
  }
  for (const { rows, drawn: count, first, last } of byClass.values()) {
    if (count === rows) drawn[last] = false;
    else if (count === 0 && share * rows >= 1) drawn[first] = true;
  }
  if (drawn.includes(true)) return drawn;
  const spare = [...byClass.values()].filter(({ rows }) => rows > 1).map(({ first }) => first);
  if (spare.length) drawn[spare.reduce((a, b) => (words[b]! < words[a]! ? b : a))] = true;
  return drawn;
}

/**
 * Row numbers for training and test, about 80 to 20, in the order of the data (`drawRows`). Throws `DataError` if the test
 * part would be empty.
 */
export function splitRows(
  labels: ArrayLike<number>,
  contents: ArrayLike<number>,
  seed: Seed,
  title: string,
): { train: number[]; test: number[] } {
  const tested = drawRows(contents, labels, { share: TEST_SHARE, seed, draw: 'test' });
  if (!tested.includes(true)) {
    throw new DataError(
      `${title}: expected two rows or more of some class, so that some can be held out for the test; got ${labels.length} rows ` +
        `of ${new Set(Array.from(labels)).size} classes. Add rows, or a test part of your own.`,
    );
  }
  const all = [...tested.keys()];
  return { train: all.filter((row) => !tested[row]), test: all.filter((row) => tested[row]) };
}
