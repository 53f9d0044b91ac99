/** A user's own data in a folder: IDX files, CSV tables or pictures, recognised by the files in it. For Node. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import type { ImageInputs } from '../model/preparation.ts';
import type { ColumnNote } from './column-notes.ts';
import { type ColumnChoice, type Parts, tablesToData } from './csv.ts';
import { readTable, readTableLike } from './csv-table.ts';
import type { DataSet } from './dataset.ts';
import { idxFiles, idxRole, loadIdxFolder, type Part } from './idx-folder.ts';
import { limits } from './limits.ts';
import { listFolder } from './list-folder.ts';
import { isPictureName } from './picture.ts';
import { loadPictureFolder, type PictureOptions } from './picture-folder.ts';

export interface FolderOptions extends PictureOptions, ColumnChoice {
  /** CSV: the column of the label, by its name or its number from 1; several targets of a regression with commas. */
  label?: string;
  /** CSV: whether the first row names the columns. Default: decided by its content. */
  header?: boolean;
}

/** Formats, and which options each one takes. */
const optionsOf = {
  IDX: [],
  CSV: ['label', 'task', 'header', 'columns', 'drop'],
  pictures: ['size', 'fit'],
} as const satisfies Record<string, readonly (keyof FolderOptions)[]>;

type Format = keyof typeof optionsOf;

export const folderOptions: readonly (keyof FolderOptions)[] = Object.values(optionsOf).flat();

export interface Folder {
  readonly format: Format;
  /** How the data was understood, for people. */
  readonly notes: readonly string[];
  /** Tables: what was made of each column. */
  readonly columns?: readonly ColumnNote[];
  load(part: Part): Promise<DataSet>;
  /** CSV: the rows of another file as inputs, encoded like the training part. Throws `DataError`. */
  inputs?(file: Uint8Array, name: string): Float32Array<ArrayBuffer>;
}

/** Splits data without a test part. The seed is fixed, so that `eval` tests on rows that `train` did not see. */
const SPLIT_SEED = 0;

const formats =
  `IDX files named as those of MNIST (${idxFiles.train.images} and so on, gzipped or not); train.csv, with or without ` +
  'test.csv (or a single CSV file); or PNG and JPEG files as train/CLASS/NAME.png and test/CLASS/NAME.png, or as ' +
  'CLASS/NAME.png';

/** `model`: what a trained model makes of pictures, which then decides their size. Throws `DataError`. */
export async function openFolder(directory: string, options: FolderOptions = {}, model?: ImageInputs): Promise<Folder> {
  const { folders, files } = await listFolder(directory);
  const found: { readonly [F in Format]: readonly string[] } = {
    IDX: files.filter((file) => idxRole(file)),
    CSV: files.filter((file) => /\.csv$/i.test(file)),
    pictures: await withPictures(directory, folders),
  };
  const formatsFound = (Object.keys(found) as Format[]).filter((format) => found[format].length > 0);
  if (formatsFound.length !== 1) {
    const got = formatsFound.length
      ? formatsFound.map((format) => `${format} (${found[format].slice(0, 3).join(', ')})`).join(' and ')
      : [...folders.map((name) => `${name}/`), ...files].slice(0, 6).join(', ') || 'an empty folder';
    throw new DataError(
      `--data-dir: expected ${directory} to hold one of: ${formats}. Got ${got}. ` +
        (formatsFound.length ? 'Keep one of them there.' : 'Put your data there, or name another folder.'),
    );
  }
  const [format] = formatsFound as [Format];
  refuseOptions(directory, format, options);
  if (format === 'IDX') {
    const hint = 'A folder of data holds all four IDX files of MNIST by their names, gzipped or not.';
    return { format, notes: [], load: (part) => loadIdxFolder({ title: '--data-dir', directory, hint }, part) };
  }
  const { train, test, notes, columns, inputs } =
    format === 'CSV'
      ? await loadCsv(directory, found.CSV, options)
      : await loadPictureFolder(directory, SPLIT_SEED, options, model);
  return {
    format,
    notes,
    ...(columns && { columns }),
    load: async (part) => (part === 'train' ? train : test),
    ...(inputs && { inputs: (file, name) => inputs((train, label) => readTableLike(file, name, train, label)) }),
  };
}

/** Throws `DataError` for an option that belongs to another format. */
function refuseOptions(directory: string, format: Format, options: FolderOptions): void {
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  for (const other of Object.keys(optionsOf) as Format[]) {
    const names = optionsOf[other].filter((name) => other !== format && given.includes(name));
    if (names.length === 0) continue;
    throw new DataError(
      `--data-dir: expected ${other} with ${optionsOf[other].map((name) => `--${name}`).join(' or ')}, got ${format} in ` +
        `${directory}. Leave ${names.length > 1 ? 'them' : 'it'} out.`,
    );
  }
}

/** The folders that hold pictures, themselves or in their subfolders. */
async function withPictures(directory: string, folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const name of folders) {
    const inside = await listFolder(join(directory, name));
    let some = inside.files.some(isPictureName);
    if (name === 'train' || name === 'test') {
      for (const inner of inside.folders)
        some ||= (await listFolder(join(directory, name, inner))).files.some(isPictureName);
    }
    if (some) found.push(name);
  }
  return found;
}

async function loadCsv(directory: string, files: readonly string[], options: FolderOptions): Promise<Parts> {
  const { label, header } = options;
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
  return tablesToData(train, test, label, SPLIT_SEED, options);
}

async function readCsvFile(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > limits.csvBytes) {
    throw new DataError(`${path}: expected at most ${limits.csvBytes} bytes, got ${size}. Leave rows out.`);
  }
  return readFile(path);
}
