/**
 * Pictures, one folder for each class: FOLDER/train/CLASS/NAME.jpg and FOLDER/test/CLASS/NAME.png, or
 * FOLDER/CLASS/NAME.png. For Node.
 */
import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { BYTE_SCALE } from '../core/arrays.ts';
import { DataError } from '../core/errors.ts';
import type { ImageInputs, Preparation } from '../model/preparation.ts';
import type { Seed } from '../weights/stream.ts';
import { crc32 } from './crc32.ts';
import type { Parts } from './csv.ts';
import { type DataSet, dataSet } from './dataset.ts';
import { limits } from './limits.ts';
import { listFolder } from './list-folder.ts';
import { isPictureName, type PictureHeader, pictureHeader, readPicture } from './picture.ts';
import { pictureBytes } from './picture-input.ts';
import type { Size } from './resample.ts';
import { splitRows } from './stratify.ts';

export interface PictureOptions {
  /** Of all pictures. Default: their own if they share one, otherwise one near the middle of them. */
  size?: Size;
  /** Default: 'stretch'. */
  fit?: ImageInputs['fit'];
}

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
    const other = folders[0] ?? files.find((file) => !isPictureName(file));
    if (other !== undefined || files.length === 0) {
      throw new DataError(
        `${folder}: expected only PNG and JPEG files, got ${other === undefined ? 'none' : `'${other}'`}. Convert it, ` +
          'move it or remove it.',
      );
    }
    for (const file of files) found.push({ path: join(folder, file), label });
  }
  return found;
}

/** A hash of each file, which decides its part. */
const contentsOf = (pictures: readonly Picture[]): number[] => pictures.map(({ path }) => crc32(readFileSync(path)));

/** Names the picture in what `work` throws. */
async function naming<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DataError) throw new DataError(`${path}: ${error.message}`);
    throw error;
  }
}

/** As much as the segments before the pixels of most JPEG files take. */
const START_BYTES = 2 ** 14;

const start = new Uint8Array(START_BYTES);

/** Reads the start of a picture, and the rest only if that does not hold its size. */
function lookAt(path: string): PictureHeader {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const found = pictureHeader(start.subarray(0, readSync(file, start, 0, START_BYTES, 0)), size);
    return found ?? pictureHeader(readFileSync(file), size)!;
  } finally {
    closeSync(file);
  }
}

/** The longest side of pictures whose size the caller did not choose. */
const LONGEST_SIDE = 128;

/** The size that more than half of the pictures have, otherwise the median height and width, made small. */
function commonSize(sizes: readonly Size[]): Size {
  const counts = new Map<string, { size: Size; count: number }>();
  for (const size of sizes) {
    const key = `${size.width} x ${size.height}`;
    const seen = counts.get(key);
    if (seen) seen.count++;
    else counts.set(key, { size, count: 1 });
  }
  const [most] = [...counts.values()].sort((a, b) => b.count - a.count);
  if (2 * most!.count > sizes.length) return most!.size;
  const median = (side: keyof Size) => sizes.map((size) => size[side]).sort((a, b) => a - b)[sizes.length >> 1]!;
  const [width, height] = [median('width'), median('height')];
  const scale = Math.min(1, LONGEST_SIDE / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

const sizeText = ({ width, height }: Size) => `${width} x ${height}`;

/** Says which sizes there are (width x height), and what becomes of them. */
function sizeNote(sizes: readonly Size[], { fit, ...to }: ImageInputs): string {
  const others = sizes.filter(({ width, height }) => width !== to.width || height !== to.height).length;
  if (others === 0) return `of ${sizeText(to)}`;
  const byArea = [...sizes].sort((a, b) => a.width * a.height - b.width * b.height);
  const how = fit === 'letterbox' ? 'with bars where the aspect ratio differs' : 'aspect ratios ignored';
  return (
    `of ${sizeText(byArea[0]!)} to ${sizeText(byArea.at(-1)!)} (width x height), ${others} of them resized to ` +
    `${sizeText(to)} (${how}; see --size and --fit)`
  );
}

/** The size of the training pictures, in colour if any picture is. */
function inputsFor(
  all: readonly PictureHeader[],
  train: readonly PictureHeader[],
  { size = commonSize(train), fit = 'stretch' }: PictureOptions,
): ImageInputs {
  const channels = all.some(({ colour }) => colour) ? 3 : 1;
  const { width, height } = size;
  return { kind: 'image', height, width, channels, scale: BYTE_SCALE, shift: 0, fit, invert: false };
}

/**
 * Rows are (height, width) if every picture is grey, else (height, width, 3). Without the folders train and test, about
 * a fifth of the pictures is held out for the test. `model`: what a trained model makes of pictures, which then decides.
 * Throws `DataError`.
 */
export async function loadPictureFolder(
  directory: string,
  seed: Seed,
  options: PictureOptions = {},
  model?: ImageInputs,
): Promise<Parts> {
  const { folders } = await listFolder(directory);
  const isSplit = folders.includes('train') || folders.includes('test');
  if (isSplit && folders.join() !== 'test,train') {
    throw new DataError(
      `${directory}: expected the folders train and test, or one for each class; got ${folders.slice(0, 6).join(', ')}. ` +
        'Add the missing folder; or move the classes up, and about a fifth of the pictures is held out for the test.',
    );
  }
  const root = isSplit ? join(directory, 'train') : directory;
  const classes = await classesIn(root);
  const all = await picturesIn(root, classes);
  const labels = all.map(({ label }) => label);
  const parts = isSplit ? undefined : splitRows(labels, contentsOf(all), seed, directory);
  const train = parts ? parts.train.map((i) => all[i]!) : all;
  const test = parts ? parts.test.map((i) => all[i]!) : await picturesIn(join(directory, 'test'), classes);
  const pictures = [...train, ...test];
  const headers: PictureHeader[] = [];
  for (const { path } of pictures) headers.push(await naming(path, () => lookAt(path)));
  const inputs = model ?? inputsFor(headers, headers.slice(0, train.length), options);
  const { width, height, channels } = inputs;
  const preparation: Preparation = { inputs, outputs: { task: 'classification', classes } };
  const bytes = width * height * channels;
  if (bytes * pictures.length > limits.folderBytes) {
    throw new DataError(
      `${directory}: expected pictures of at most ${limits.folderBytes} bytes together, got ${pictures.length} of ${bytes}. ` +
        'Choose a smaller --size, or leave some out.',
    );
  }
  const load = async (list: readonly Picture[]): Promise<DataSet> => {
    const features = new Uint8Array(list.length * bytes);
    for (const [i, { path }] of list.entries()) {
      const picture = await naming(path, () => readPicture(readFileSync(path)));
      features.set(pictureBytes(picture, inputs), i * bytes);
    }
    const shape = channels === 3 ? [height, width, 3] : [height, width];
    const { scale, shift } = inputs;
    return dataSet({ features, shape, scale, shift, labels: list.map(({ label }) => label), preparation });
  };
  const notes = [
    `${pictures.length} pictures ${sizeNote(headers, inputs)}, ${channels === 3 ? 'in colour' : 'grey'}, ` +
      `${classes.length} classes (${classes.slice(0, 6).join(', ')})`,
  ];
  if (parts) {
    notes.push(
      `no folders train and test: ${train.length} for training, ${test.length} for the test, split by the content of a file and seed ${seed}`,
    );
  }
  return { train: await load(train), test: await load(test), notes };
}
