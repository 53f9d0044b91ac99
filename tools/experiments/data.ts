/** The data of experiments: by name, or in a folder. */

import { type DataSet, head } from '../../src/data/dataset.ts';
import { fashionClasses } from '../../src/data/fashion-mnist.ts';
import { shifted } from '../../src/data/shifted.ts';
import { holdOut } from '../../src/data/split.ts';
import { dataNames, openData } from '../common/data.ts';
import type { RunSpec } from './spec.ts';

export interface Parts {
  readonly train: DataSet;
  readonly test: DataSet;
  readonly validation?: DataSet;
}

type DataName = (typeof dataNames)[number];
const isName = (name: string): name is DataName => (dataNames as readonly string[]).includes(name);

/** Training and test data. Throws `DataError`. */
export async function loadParts(name: string): Promise<{ train: DataSet; test: DataSet }> {
  const choice = isName(name) ? { data: name } : { dataDir: name };
  const { load } = await openData(choice);
  const train = await load('train');
  return { train, test: await load('test') };
}

/** The rows that a run asks for. Throws `DataError`. */
export function partsOf(whole: { train: DataSet; test: DataSet }, spec: RunSpec): Parts {
  const train = head(whole.train, spec.trainRows ?? whole.train.rows);
  const test = head(whole.test, spec.testRows ?? whole.test.rows);
  const parts = spec.validationRows ? { ...holdOut(train, spec.validationRows), test } : { train, test };
  return spec.shift ? { ...parts, train: shifted(parts.train, spec.shift) } : parts;
}

/** What the classes are called, where they are not digits. */
export const classNames = (name: string): readonly string[] | undefined =>
  name === 'fashion-mnist' ? fashionClasses : undefined;
