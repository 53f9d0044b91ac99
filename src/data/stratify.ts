/** Splits rows into a training and a test part. */
import { DataError } from '../core/errors.ts';
import { philox4x32, type Seed, splitSeed } from '../weights/stream.ts';

/** Share of each class that becomes the test part. */
const TEST_SHARE = 0.2;

/**
 * Row numbers for training and test, 80 to 20 within each class, in the order of the data. Seed and row number alone
 * decide, so each call returns the same. A class of one or two rows stays in the training part. Throws `DataError` if
 * the test part would be empty.
 */
export function splitRows(labels: ArrayLike<number>, seed: Seed, title: string): { train: number[]; test: number[] } {
  const { low, high } = splitSeed(seed);
  const byClass = new Map<number, { row: number; word: number }[]>();
  for (let row = 0; row < labels.length; row++) {
    const [word] = philox4x32([row, 0, 2, 1], [low, high]);
    const rows = byClass.get(labels[row]!);
    if (rows) rows.push({ row, word });
    else byClass.set(labels[row]!, [{ row, word }]);
  }
  const tested = new Set<number>();
  for (const rows of byClass.values()) {
    rows.sort((a, b) => a.word - b.word || a.row - b.row);
    for (const { row } of rows.slice(0, Math.round(TEST_SHARE * rows.length))) tested.add(row);
  }
  if (tested.size === 0) {
    throw new DataError(
      `${title}: expected at least three rows of some class, so that a fifth can be kept for the test; got ${labels.length} rows ` +
        `of ${byClass.size} classes. Add rows, or a test part of your own.`,
    );
  }
  const all = Array.from({ length: labels.length }, (_, row) => row);
  return { train: all.filter((row) => !tested.has(row)), test: all.filter((row) => tested.has(row)) };
}
