/** Labelled images in a folder, named as MNIST's files are, gzipped or not: for Node. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { DataError } from '../core/errors.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { parseIdx } from './idx.ts';

/** Files that unpack to more are refused. */
const MOST_BYTES = 2 ** 30;

export type Part = 'train' | 'test';

/** What of a part is looked for, without `.gz`. */
export const idxFiles = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const;

export interface IdxFolder {
  /** Stands in errors. */
  readonly title: string;
  readonly directory: string;
  /** SHA-256 by file name, of the decompressed file; without it nothing is checked. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** What to do where files are missing. */
  readonly hint: string;
  /** Default: the largest label plus one. */
  readonly classes?: number;
}

/** Images and labels of a part, bytes scaled to 0 ... 1. Throws `DataError`. */
export async function loadIdxFolder(folder: IdxFolder, part: Part): Promise<DataSet> {
  const { images: imagesFile, labels: labelsFile } = idxFiles[part];
  const images = await readIdx(folder, imagesFile); // one after the other: of two that are missing, always the first is named
  const labels = await readIdx(folder, labelsFile);
  const { classes } = folder;
  return dataSet({
    features: images.values,
    shape: images.shape.slice(1),
    labels: labels.values,
    ...(classes && { classes }),
  });
}

async function readIdx({ title, directory, sha256, hint }: IdxFolder, name: string) {
  const path = join(directory, name);
  const bytes = await readFile(path).catch((error: Error) =>
    readFile(`${path}.gz`).then(
      (packed) =>
        promisify(gunzip)(packed, { maxOutputLength: MOST_BYTES }).catch((reason: Error) => {
          throw new DataError(
            `${title}: expected ${path}.gz to unpack to at most ${MOST_BYTES} bytes: ${reason.message}. ${hint}`,
          );
        }),
      () => {
        throw new DataError(`${title}: expected ${path} (or .gz), could not read it: ${error.message}. ${hint}`);
      },
    ),
  );
  const wanted = sha256?.[name];
  const got = wanted && createHash('sha256').update(bytes).digest('hex');
  if (got !== wanted) {
    throw new DataError(
      `${title}: expected SHA-256 ${wanted} of ${path}, got ${got}. The file is damaged: install it again.`,
    );
  }
  return parseIdx(bytes, name);
}
