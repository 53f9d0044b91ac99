/** A folder of labelled time series, with a training and a test part. For Node. */
import { basename, extname, join, resolve } from 'node:path';
import { DataError } from '../core/errors.ts';
import { readInput } from '../core/read-input.ts';
import { readArff } from './arff.ts';
import { limits } from './limits.ts';
import { listFolder } from './list-folder.ts';
import type { Series, SeriesFile } from './series.ts';
import { readSeriesRows, readSeriesTable, type SeriesTableOptions } from './series-tables.ts';
import { readText } from './text-encoding.ts';
import { readTsFile } from './ts-file.ts';

type Read = (file: Uint8Array, name: string, options: SeriesTableOptions) => SeriesFile;

const textOf = (file: Uint8Array, name: string): string => new TextDecoder().decode(readText(file, name).utf8);

/** Readers by the end of a file's name; where a folder has several, the first of them counts. */
const readers: Readonly<Record<string, Read>> = {
  ts: (file, name) => readTsFile(textOf(file, name), name),
  arff: (file, name) => readArff(textOf(file, name), name),
  csv: readSeriesTable,
  tsv: readSeriesTable,
  txt: readSeriesTable,
};

/** The series of a file, by the end of its name. Throws `DataError`. */
export async function readSeriesFile(path: string, options: SeriesTableOptions): Promise<SeriesFile> {
  const read = readers[extname(path).slice(1).toLowerCase()];
  if (read) return read(await readInput(path, limits.csvBytes), path, options);
  const known = Object.keys(readers).map((end) => `.${end}`);
  throw new DataError(`${path}: expected a file of signals (${known.join(', ')}), got another name`);
}

const EXPECTED =
  'NAME_TRAIN and NAME_TEST (or train and test) as .ts, .arff, .csv, .tsv or .txt, or CSV files of one series each as ' +
  'train/CLASS/*.csv and test/CLASS/*.csv';

export interface SignalParts {
  readonly train: SeriesFile;
  readonly test: SeriesFile;
}

/** Throws `DataError`. */
export async function openSignalFolder(directory: string, options: SeriesTableOptions = {}): Promise<SignalParts> {
  const { folders, files } = await listFolder(directory);
  const pair = pairIn(files, basename(resolve(directory)));
  if (pair) {
    const [train, test] = await Promise.all(pair.names.map((name) => readSeriesFile(join(directory, name), options)));
    return { train: train!, test: test! };
  }
  const own = (part: string) => folders.find((name) => name.toLowerCase() === part);
  const [train, test] = [own('train'), own('test')];
  if (train === undefined || test === undefined) {
    const got = [...folders.map((name) => `${name}/`), ...files].slice(0, 6).join(', ') || 'an empty folder';
    throw new DataError(`--data-dir: expected ${directory} to hold ${EXPECTED}; got ${got}`);
  }
  const [first, second] = await Promise.all([train, test].map((part) => readClasses(join(directory, part), options)));
  return { train: first!, test: second! };
}

/** The training and the test file: of the folder's own name where there are several data sets. */
function pairIn(files: readonly string[], folder: string) {
  for (const end of Object.keys(readers)) {
    const parts = files.flatMap((file) => {
      const [, stem, part] = new RegExp(`^(.*?)_?(train|test)\\.${end}$`, 'i').exec(file) ?? [];
      return stem === undefined ? [] : [{ file, stem, part: part!.toLowerCase() }];
    });
    const pairs = parts.flatMap(({ file, stem, part }) => {
      const other = part === 'train' && parts.find((one) => one.stem === stem && one.part === 'test');
      return other ? [{ stem, names: [file, other.file] as const }] : [];
    });
    const pair = pairs.find(({ stem }) => stem.toLowerCase() === folder.toLowerCase()) ?? pairs[0];
    if (pair && (pairs.length === 1 || pair.stem.toLowerCase() === folder.toLowerCase())) return { ...pair, end };
    if (pair) {
      const stems = pairs.map(({ stem }) => stem).slice(0, 6);
      throw new DataError(`--data-dir: expected one data set, or one named as its folder; got ${stems.join(', ')}`);
    }
  }
  return undefined;
}

/** Folders of a class each, with a CSV file a series. */
async function readClasses(directory: string, options: SeriesTableOptions): Promise<SeriesFile> {
  const { folders } = await listFolder(directory);
  const series: Series[] = [];
  for (const label of folders) {
    const { files } = await listFolder(join(directory, label));
    for (const name of files.filter((file) => /\.(csv|tsv|txt)$/i.test(file))) {
      series.push(
        readSeriesRows(
          await readInput(join(directory, label, name), limits.csvBytes),
          `${label}/${name}`,
          label,
          options,
        ),
      );
    }
  }
  if (series.length === 0) throw new DataError(`${directory}: expected CLASS/*.csv, one file a series, got none`);
  return { series };
}
