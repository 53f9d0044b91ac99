/** Whether a model and a data set name the same classes. */
import { DataError } from '../../src/core/errors.ts';
import { quoted } from '../../src/core/quote.ts';
import { classNamesOf, type DataSet } from '../../src/data/dataset.ts';
import type { Model } from '../../src/model/model.ts';
import { preparationOf } from '../../src/model/preparation-metadata.ts';

/** Files of earlier releases cut names to this length. */
const EARLIER_LENGTH = 64;

/** How many names there are, and the first of them. */
export const counted = (names: readonly string[]): string =>
  `${names.length}: ${names.slice(0, 6).map(quoted).join(', ')}`;

/** Names of the classes of a classifier, where its file has them. Throws `ModelFileError`. */
export function classesOf(model: Model): readonly string[] | undefined {
  const preparation = preparationOf(model);
  return preparation && classNamesOf({ preparation });
}

/** Throws `DataError` where both have names and they differ. */
export function expectSameClasses(file: string, model: Model, title: string, data: DataSet): void {
  const [expected, got] = [classesOf(model), classNamesOf(data)];
  const same = (name: string, i: number) => name === got![i] || name === got![i]!.slice(0, EARLIER_LENGTH);
  if (!expected || !got || (expected.length === got.length && expected.every(same))) return;
  throw new DataError(
    `${title}: expected the classes of ${file} (${counted(expected)}), got ${counted(got)}. ` +
      'Name the data that the model was trained on, or train a new model.',
  );
}
