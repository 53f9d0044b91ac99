/** The data sets of the command line: by name, or one's own in a folder. */

import { DataError } from '../../src/core/errors.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import { type DomainName, domainNames, domains } from '../../src/data/domains.ts';
import { installFashionMnist, loadFashionMnist } from '../../src/data/fashion-mnist.ts';
import { type FolderOptions, openFolder } from '../../src/data/folder.ts';
import type { Part } from '../../src/data/idx-folder.ts';
import { loadMnist } from '../../src/data/mnist.ts';
import { say } from './output.ts';

export const dataNames = ['mnist', 'fashion-mnist', ...domainNames] as const;

export interface DataChoice extends FolderOptions {
  data?: (typeof dataNames)[number];
  /** Wins over `data`. */
  dataDir?: string;
}

export interface OpenedData {
  /** What was taken for what, for people. */
  readonly notes: readonly string[];
  load(part: Part): Promise<DataSet>;
  /** CSV: the rows of another file as inputs. Throws `DataError`. */
  inputs?(file: Uint8Array, name: string): Float32Array<ArrayBuffer>;
}

const isDomain = (name: string | undefined): name is DomainName => domainNames.some((one) => one === name);

/** What stands in messages and tables. */
export const dataTitle = ({ data = 'mnist', dataDir }: DataChoice): string => dataDir ?? data;

/** Throws `DataError`. */
export async function openData({ data, dataDir, label, header }: DataChoice): Promise<OpenedData> {
  const options = { ...(label !== undefined && { label }), ...(header !== undefined && { header }) };
  if (dataDir) return openFolder(dataDir, options);
  if (Object.keys(options).length) {
    throw new DataError('expected --data-dir FOLDER with CSV beside --label or --header, got neither folder nor CSV');
  }
  if (isDomain(data)) {
    const { notes, ...parts } = domains[data].load(say);
    return { notes: [domains[data].title, ...notes], load: async (part) => parts[part] };
  }
  if (data !== 'fashion-mnist') return { notes: [], load: (part) => loadMnist(part) };
  installFashionMnist(say);
  return { notes: [], load: (part) => loadFashionMnist(part) };
}

/** One part. Throws `DataError`. */
export const loadData = async (choice: DataChoice, part: Part): Promise<DataSet> => (await openData(choice)).load(part);
