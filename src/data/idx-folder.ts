/** Labelled images in a folder, as IDX files named like those of MNIST, packed by gzip or not: for Node. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { refuseGitLfs } from '../core/git-lfs.ts';
import { quoted } from '../core/quote.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { gunzipIdx, isGzip } from './gunzip.ts';
import { parseIdx } from './idx.ts';
import { limits } from './limits.ts';
import { listFolder } from './list-folder.ts';

export type Part = 'train' | 'test';
type Role = 'images' | 'labels';

/** The names that MNIST's files have, without `.gz`. */
export const idxFiles = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const satisfies Record<Part, Record<Role, string>>;

/**
 * Those names and their usual variants: `train-images.idx3-ubyte`, `test-images-idx3-ubyte`,
 * `emnist-letters-train-images-idx3-ubyte.gz`.
 */
const pattern = /^(?:[\w-]{1,64}-)?(train|t10k|test)-(images|labels)[-.]idx[134]-ubyte(?:\.gz)?$/i;

/** The part and role that a file's name says, if any. */
export function idxRole(file: string): { part: Part; role: Role } | undefined {
  const [, part, role] = pattern.exec(file.toLowerCase()) ?? [];
  return part === undefined ? undefined : { part: part === 'train' ? 'train' : 'test', role: role as Role };
}

export interface IdxFolder {
  /** Stands in errors. */
  readonly title: string;
  readonly directory: string;
  /** SHA-256 by the name in `idxFiles`, of the unpacked file; without it nothing is checked. */
  readonly sha256?: Readonly<Record<string, string>>;
  /** What to do where files are missing. */
  readonly hint: string;
  /** Default: the largest label plus one. */
  readonly classes?: number;
}

/** Images and labels of a part, bytes scaled to 0 ... 1. Throws `DataError`. */
export async function loadIdxFolder(folder: IdxFolder, part: Part): Promise<DataSet> {
  const images = await readIdx(folder, part, 'images'); // one after the other: of two missing files the same is named each time
  const labels = await readIdx(folder, part, 'labels');
  const { classes } = folder;
  if (labels.shape.length !== 1 || labels.shape[0] !== images.shape[0]) {
    throw new DataError(
      `${folder.title}: expected a label for each of the ${images.shape[0]} images of the ${part} part, got ${labels.shape.join(' x ')}`,
    );
  }
  return dataSet({
    features: images.values,
    shape: images.shape.slice(1),
    labels: labels.values,
    ...(classes && { classes }),
  });
}

async function readIdx(folder: IdxFolder, part: Part, role: Role) {
  const { title, sha256 } = folder;
  const name = await findFile(folder, part, role);
  const path = join(folder.directory, name);
  const { size } = await stat(path);
  if (size > limits.idxBytes) {
    throw new DataError(`${title}: expected ${path} to have at most ${limits.idxBytes} bytes, got ${size}`);
  }
  const file = await readFile(path);
  refuseGitLfs(file, `${title}: ${path}`, DataError);
  const bytes = isGzip(file) ? gunzipIdx(file, `${title}: ${path}`) : file; // whatever it is called
  const wanted = sha256?.[idxFiles[part][role]];
  const got = wanted && createHash('sha256').update(bytes).digest('hex');
  if (got !== wanted) {
    throw new DataError(
      `${title}: expected SHA-256 ${wanted} of ${path}, got ${got}. The file is damaged: install it again.`,
    );
  }
  return parseIdx(bytes, name);
}

/** The one file of this role; of a file and its packed copy the file. */
async function findFile({ title, directory, hint }: IdxFolder, part: Part, role: Role): Promise<string> {
  const { files } = await listFolder(directory).catch(() => ({ files: [] as string[] })); // then none is found there
  const fitting = files.filter((file) => {
    const found = idxRole(file);
    return found?.part === part && found.role === role;
  });
  const [first, ...others] = fitting.filter((file) => !fitting.includes(file.replace(/\.gz$/i, '')) || !isGz(file));
  if (first !== undefined && others.length === 0) return first;
  const got = first === undefined ? 'none' : [first, ...others].slice(0, 4).map(quoted).join(', ');
  throw new DataError(
    `${title}: expected one file ${idxFiles[part][role]} (or .gz) in ${directory}, found ${got}. ${hint}`,
  );
}

const isGz = (file: string) => /\.gz$/i.test(file);
