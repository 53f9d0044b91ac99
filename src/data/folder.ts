/** A user's own data in a folder: IDX files, CSV tables or PNG pictures, recognised by the files in it. For Node. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { type Parts, tablesToData } from './csv.ts';
import { readTable, readTableLike } from './csv-table.ts';
import type { DataSet } from './dataset.ts';
import { idxFiles, idxRole, loadIdxFolder, type Part } from './idx-folder.ts';
import { limits } from './limits.ts';
import { listFolder } from './list-folder.ts';
import { isPng, loadPngFolder } from './png-folder.ts';

export interface FolderOptions {
  /** CSV: the column of the label, by its name or its number from 1. */
  label?: string;
  /** CSV: whether the first row names the columns. Default: decided by its content. */
  header?: boolean;
}

export interface Folder {
  readonly format: 'IDX' | 'CSV' | 'PNG';
  /** How the data was understood, for people. */
  readonly notes: readonly string[];
  load(part: Part): Promise<DataSet>;
  /** CSV: the rows of another file as inputs, encoded like the training part. Throws `DataError`. */
  inputs?(file: Uint8Array, name: string): Float32Array<ArrayBuffer>;
}

/** Splits data without a test part. The seed is fixed, so that `eval` tests on rows that `train` did not see. */
const SPLIT_SEED = 0;

const formats =
  `IDX files named as those of MNIST (${idxFiles.train.images} and so on, gzipped or not); train.csv, with or without test.csv ` +
  '(or a single CSV file); or PNG files as train/CLASS/*.png and test/CLASS/*.png, or as CLASS/*.png';

/** Throws `DataError`. */
export async function openFolder(directory: string, options: FolderOptions = {}): Promise<Folder> {
  const { folders, files } = await listFolder(directory);
  const found = {
    IDX: files.filter((file) => idxRole(file)),
    CSV: files.filter((file) => /\.csv$/i.test(file)),
    PNG: await withPictures(directory, folders),
  };
  const kinds = (Object.keys(found) as (keyof typeof found)[]).filter((kind) => found[kind].length > 0);
  if (kinds.length !== 1) {
    const got = kinds.length
      ? kinds.map((kind) => `${kind} (${found[kind].slice(0, 3).join(', ')})`).join(' and ')
      : [...folders.map((name) => `${name}/`), ...files].slice(0, 6).join(', ') || 'an empty folder';
    throw new DataError(
      `--data-dir: expected ${directory} to hold one of: ${formats}. Got ${got}. ` +
        (kinds.length ? 'Keep one of them there.' : 'Put your data there, or name another folder.'),
    );
  }
  const [format] = kinds as [keyof typeof found];
  if (format !== 'CSV' && (options.label !== undefined || options.header !== undefined)) {
    throw new DataError(
      `--data-dir: expected CSV with --label or --header, got ${format} in ${directory}. Leave them out.`,
    );
  }
  if (format === 'IDX') {
    const hint = 'A folder of data holds all four IDX files of MNIST by their names, gzipped or not.';
    return { format, notes: [], load: (part) => loadIdxFolder({ title: '--data-dir', directory, hint }, part) };
  }
  const { train, test, notes, inputs } =
    format === 'CSV' ? await loadCsv(directory, found.CSV, options) : await loadPngFolder(directory, SPLIT_SEED);
  return {
    format,
    notes,
    load: async (part) => (part === 'train' ? train : test),
    ...(inputs && { inputs: (file, name) => inputs((train, label) => readTableLike(file, name, train, label)) }),
  };
}

/** The folders that hold pictures, themselves or in their subfolders. */
async function withPictures(directory: string, folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of folders) {
    const inside = await listFolder(join(directory, name));
    let some = inside.files.some(isPng);
    if (name === 'train' || name === 'test') {
      for (const inner of inside.folders) some ||= (await listFolder(join(directory, name, inner))).files.some(isPng);
    }
    if (some) found.push(name);
  }
  return found;
}

async function loadCsv(directory: string, files: readonly string[], { label, header }: FolderOptions): Promise<Parts> {
  const trainFile = files.includes('train.csv') ? 'train.csv' : files[0]!;
  if (trainFile !== 'train.csv' && (files.length > 1 || trainFile === 'test.csv')) {
    throw new DataError(
      `--data-dir: expected train.csv in ${directory}, with or without test.csv, or a single CSV file; got ${files.slice(0, 6).join(', ')}. ` +
        'Name the training rows train.csv.',
    );
  }
  const train = readTable(await readCsvFile(join(directory, trainFile)), trainFile, header ?? 'auto');
  const test = files.includes('test.csv')
    ? readTableLike(await readCsvFile(join(directory, 'test.csv')), 'test.csv', train)
    : undefined;
  return tablesToData(train, test, label, SPLIT_SEED);
}

async function readCsvFile(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > limits.csvBytes) {
    throw new DataError(`${path}: expected at most ${limits.csvBytes} bytes, got ${size}. Leave rows out.`);
  }
  return readFile(path);
}
