/**
 * Pictures, one folder for each class: FOLDER/train/CLASS/*.png and FOLDER/test/CLASS/*.png, or FOLDER/CLASS/*.png. For
 * Node.
 */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import type { Seed } from '../weights/stream.ts';
import { crc32 } from './crc32.ts';
import type { Parts } from './csv.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { limits } from './limits.ts';
import { listFolder } from './list-folder.ts';
import { pngToBytes } from './png.ts';
import { PNG_HEADER_BYTES, pngHeader } from './png-chunks.ts';
import { splitRows } from './stratify.ts';

export const isPng = (name: string): boolean => /\.png$/i.test(name);

interface Picture {
  readonly path: string;
  readonly label: number;
}

/** The classes: the subfolders. Throws `DataError`. */
async function classesIn(directory: string): Promise<string[]> {
  const { folders } = await listFolder(directory);
  if (folders.length >= 2) return folders;
  throw new DataError(
    `${directory}: expected a folder of pictures for each of at least two classes, got ${folders.length ? folders.join() : 'none'}`,
  );
}

async function picturesIn(directory: string, classes: readonly string[]): Promise<Picture[]> {
  const found: Picture[] = [];
  for (const name of await classesIn(directory)) {
    const label = classes.indexOf(name);
    const folder = join(directory, name);
    if (label < 0) {
      throw new DataError(
        `${folder}: expected a class that the training pictures have (${classes.slice(0, 6).join(', ')}), got '${name}'`,
      );
    }
    const { folders, files } = await listFolder(folder);
    const other = folders[0] ?? files.find((file) => !isPng(file));
    if (other !== undefined || files.length === 0) {
      throw new DataError(
        `${folder}: expected only PNG files, got ${other === undefined ? 'none' : `'${other}'`}. Convert it, move it or remove it.`,
      );
    }
    for (const file of files) found.push({ path: join(folder, file), label });
  }
  return found;
}

/** A hash of each file, which decides its part. */
async function contentsOf(pictures: readonly Picture[]): Promise<number[]> {
  const found: number[] = [];
  for (const { path } of pictures) found.push(crc32(await readFile(path)));
  return found;
}

/** Reads only the header of a picture. */
async function lookAt(path: string) {
  const file = await open(path);
  try {
    const start = new Uint8Array(PNG_HEADER_BYTES);
    const { bytesRead } = await file.read(start);
    return pngHeader(start.subarray(0, bytesRead), (await file.stat()).size);
  } catch (error) {
    if (error instanceof DataError) throw new DataError(`${path}: ${error.message}`);
    throw error;
  } finally {
    await file.close();
  }
}

/**
 * All pictures have the same size. Rows are (height, width) if every picture is grey, else (height, width, 3). Without
 * the folders train and test about a fifth of the pictures is kept for the test. Throws `DataError`.
 */
export async function loadPngFolder(directory: string, seed: Seed): Promise<Parts> {
  const { folders } = await listFolder(directory);
  const isSplit = folders.includes('train') || folders.includes('test');
  if (isSplit && folders.join() !== 'test,train') {
    throw new DataError(
      `${directory}: expected the folders train and test, or one for each class; got ${folders.slice(0, 6).join(', ')}. ` +
        'Add the missing folder; or move the classes up, and a fifth of the pictures is kept for the test.',
    );
  }
  const root = isSplit ? join(directory, 'train') : directory;
  const classes = await classesIn(root);
  const all = await picturesIn(root, classes);
  const labels = all.map(({ label }) => label);
  const parts = isSplit ? undefined : splitRows(labels, await contentsOf(all), seed, directory);
  const train = parts ? parts.train.map((i) => all[i]!) : all;
  const test = parts ? parts.test.map((i) => all[i]!) : await picturesIn(join(directory, 'test'), classes);
  const pictures = [...train, ...test];
  const { width, height } = await lookAt(pictures[0]!.path);
  let colour = false;
  for (const { path } of pictures) {
    const found = await lookAt(path);
    if (found.width !== width || found.height !== height) {
      throw new DataError(
        `${path}: expected ${width} x ${height} pixels, as ${pictures[0]!.path} has; got ${found.width} x ${found.height}. ` +
          'Resize all pictures to one size.',
      );
    }
    colour ||= found.colour;
  }
  const channels = colour ? 3 : 1;
  const size = width * height * channels;
  if (size * pictures.length > limits.folderBytes) {
    throw new DataError(
      `${directory}: expected pictures of at most ${limits.folderBytes} bytes together, got ${pictures.length} of ${size}. Make them smaller, or leave some out.`,
    );
  }
  const load = async (list: readonly Picture[]): Promise<DataSet> => {
    const features = new Uint8Array(list.length * size);
    for (const [i, { path }] of list.entries()) {
      const file = await readFile(path);
      try {
        pngToBytes(file, [height, width, channels], features, i * size);
      } catch (error) {
        if (error instanceof DataError) throw new DataError(`${path}: ${error.message}`);
        throw error;
      }
    }
    const shape = colour ? [height, width, 3] : [height, width];
    return dataSet({ features, shape, labels: list.map(({ label }) => label), classNames: classes });
  };
  const notes = [
    `${pictures.length} pictures of ${width} x ${height}, ${colour ? 'in colour' : 'grey'}, ${classes.length} classes (${classes.slice(0, 6).join(', ')})`,
  ];
  if (parts) {
    notes.push(
      `no folders train and test: ${train.length} for training, ${test.length} for the test, split by the content of a file and seed ${seed}`,
    );
  }
  return { train: await load(train), test: await load(test), notes };
}
