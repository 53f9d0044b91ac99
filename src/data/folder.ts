/** A user's own data in a folder: IDX files, CSV tables or pictures, recognised by the files in it. For Node. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import type { ImageInputs } from '../model/preparation.ts';
import type { ColumnNote } from './column-notes.ts';
import { type ColumnChoice, type Parts, tablesToData } from './csv.ts';
import { type ModelRows, readRows, unknownNotes } from './csv-rows.ts';
import { readTable, readTableLike } from './csv-table.ts';
import { strataOf } from './csv-targets.ts';
import type { DataSet } from './dataset.ts';
import { idxFiles, idxRole, loadIdxFolder, type Part } from './idx-folder.ts';
import { isJsonLinesName, jsonLinesFor, jsonLinesLike, readJsonLines } from './json-lines.ts';
import { contentsOf, encodeLabelled, expectTask, labelPlaces, type TablePreparation } from './labelled-table.ts';
import { limits } from './limits.ts';
import { listFolder } from './list-folder.ts';
import { isPictureName } from './picture.ts';
import { loadPictureFolder, type PictureOptions } from './picture-folder.ts';
import { splitRows } from './stratify.ts';
import type { Table } from './table.ts';

export interface FolderOptions extends PictureOptions, ColumnChoice {
  /** CSV: the column of the label, by its name or its number from 1; several targets of a regression with commas. */
  label?: string;
  /** CSV: whether the first row names the columns. Default: decided by its content. */
  header?: boolean;
}

/** Formats, and which options each one takes. */
const optionsOf = {
  IDX: [],
  CSV: ['label', 'task', 'columns', 'drop', 'header'],
  'JSON lines': ['label', 'task', 'columns', 'drop'],
  pictures: ['size', 'fit'],
} as const satisfies Record<string, readonly (keyof FolderOptions)[]>;

type Format = keyof typeof optionsOf;

export const folderOptions: readonly (keyof FolderOptions)[] = [...new Set(Object.values(optionsOf).flat())];

export interface Folder {
  readonly format: Format;
  /** How the data was understood, for people; complete when all parts that are needed are loaded. */
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
  'test.csv (or a single CSV file); train.jsonl, with or without test.jsonl (or a single file); or PNG and JPEG files as train/CLASS/NAME.png and test/CLASS/NAME.png, or as ' +
  'CLASS/NAME.png';

/**
 * `model`: what a trained model makes of pictures, or of rows of tables. It then decides how they become inputs. Throws
 * `DataError`.
 */
export async function openFolder(
  directory: string,
  options: FolderOptions = {},
  model?: ImageInputs | TablePreparation,
): Promise<Folder> {
  const { folders, files } = await listFolder(directory);
  const found: { readonly [F in Format]: readonly string[] } = {
    IDX: files.filter((file) => idxRole(file)),
    CSV: files.filter((file) => /\.csv$/i.test(file)),
    'JSON lines': files.filter(isJsonLinesName),
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
  if (model && 'inputs' in model) {
    if (format !== 'pictures')
      return { format, ...(await tablesFor(model, directory, format, found[format], options)) };
    throw new DataError(
      `--data-dir: expected CSV or JSON lines in ${directory}, as the model is one of tables; got ${format}. Name another folder.`,
    );
  }
  const { train, test, notes, columns, inputs } =
    format === 'pictures'
      ? await loadPictureFolder(directory, SPLIT_SEED, options, model)
      : await loadTables(directory, format, found[format], options);
  const like = format === 'JSON lines' ? jsonLinesLike : readTableLike;
  return {
    format,
    notes,
    ...(columns && { columns }),
    load: async (part) => (part === 'train' ? train : test),
    ...(inputs && { inputs: (file, name) => inputs((train, label) => like(file, name, train, label)) }),
  };
}

/** Throws `DataError` for an option that belongs to another format. */
function refuseOptions(directory: string, format: Format, options: FolderOptions): void {
  const takes = (one: Format, name: string) => optionsOf[one].some((option) => option === name);
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const wrong = given.filter((name) => !takes(format, name));
  if (wrong.length === 0) return;
  const others = (Object.keys(optionsOf) as Format[]).filter((other) => wrong.some((name) => takes(other, name)));
  throw new DataError(
    `--data-dir: expected ${others.join(' or ')} with ${wrong.map((name) => `--${name}`).join(' and ')}, got ${format} in ` +
      `${directory}. Leave ${wrong.length > 1 ? 'them' : 'it'} out.`,
  );
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

type TableFormat = 'CSV' | 'JSON lines';

/** Names of the files, and how they are read. */
const tableFormats: {
  readonly [F in TableFormat]: {
    readonly ending: string;
    read(file: Uint8Array, name: string, options: FolderOptions): Table;
    like(file: Uint8Array, name: string, train: Table): Table;
    forModel(file: Uint8Array, name: string, model: TablePreparation, options: FolderOptions): ModelRows;
  };
} = {
  CSV: {
    ending: 'csv',
    read: (file, name, { header }) => readTable(file, name, header ?? 'auto'),
    like: readTableLike,
    forModel: (file, name, model, { header }) => readRows(file, name, model, header),
  },
  'JSON lines': {
    ending: 'jsonl',
    read: readJsonLines,
    like: jsonLinesLike,
    forModel: (file, name, { inputs }) => jsonLinesFor(file, name, inputs),
  },
};

async function loadTables(
  directory: string,
  format: TableFormat,
  files: readonly string[],
  options: FolderOptions,
): Promise<Parts> {
  const { ending, read, like } = tableFormats[format];
  const [trainName, testName] = [`train.${ending}`, `test.${ending}`];
  const name = files.includes(trainName) ? trainName : files[0]!;
  if (name !== trainName && (files.length > 1 || name === testName)) {
    throw new DataError(
      `--data-dir: expected ${trainName} in ${directory}, with or without ${testName}, or a single ${format} file; got ` +
        `${files.slice(0, 6).join(', ')}. Name the training rows ${trainName}.`,
    );
  }
  const train = read(await readTableFile(join(directory, name)), name, options);
  const test = files.includes(testName)
    ? like(await readTableFile(join(directory, testName)), testName, train)
    : undefined;
  return tablesToData(train, test, options.label, SPLIT_SEED, options);
}

/**
 * Rows encoded as a model encodes them. A part is a file of its own; without one, the other file is split as it was for
 * training. `train` rows need a file of theirs, test rows may stand alone.
 */
async function tablesFor(
  model: TablePreparation,
  directory: string,
  format: TableFormat,
  files: readonly string[],
  options: FolderOptions,
): Promise<Pick<Folder, 'notes' | 'load'>> {
  const { ending, forModel } = tableFormats[format];
  expectTask(directory, model.outputs, options.task);
  const named = { train: `train.${ending}`, test: `test.${ending}` } as const;
  const alone = files.length === 1 ? files[0] : undefined;
  const notes: string[] = [];
  if (options.columns || options.drop)
    notes.push('the model says which columns it reads: --columns and --drop are not needed');
  const rowsOf = async (name: string) => {
    const {
      notes: found,
      table,
      ...prepared
    } = forModel(await readTableFile(join(directory, name)), name, model, options);
    notes.push(...found, ...unknownNotes(model.inputs, prepared));
    const at = labelPlaces(table, model, options.label);
    return { table, prepared, at, preparation: model, from: 'the model' };
  };
  const load = async (part: Part): Promise<DataSet> => {
    if (files.includes(named[part])) return encodeLabelled(await rowsOf(named[part]));
    const other = files.includes(named.train) ? named.train : alone;
    if (other === undefined || other === named.test) {
      throw new DataError(
        `--data-dir: expected ${named[part]} in ${directory}, ${named.train}, or a single ${format} file; got ` +
          `${files.slice(0, 6).join(', ')}. Name the rows ${named[part]}.`,
      );
    }
    const rows = await rowsOf(other);
    if (files.includes(named.test)) return encodeLabelled(rows);
    const contents = contentsOf(rows.table);
    const strata = strataOf(model.outputs, rows.table, rows.at, 'the model');
    const parts = splitRows(strata, contents, SPLIT_SEED, other);
    return encodeLabelled(rows, parts[part], contents);
  };
  return { notes, load };
}

async function readTableFile(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > limits.csvBytes) {
    throw new DataError(`${path}: expected at most ${limits.csvBytes} bytes, got ${size}. Leave rows out.`);
  }
  return readFile(path);
}
