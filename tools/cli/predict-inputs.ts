/** The inputs of `weightless predict`: pictures, rows of tables, or signals. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../../src/core/errors.ts';
import { readInput } from '../../src/core/read-input.ts';
import { readRows, unknownNotes } from '../../src/data/csv-rows.ts';
import { isJsonLinesName, jsonLinesFor } from '../../src/data/json-lines.ts';
import { limits } from '../../src/data/limits.ts';
import { listFolder } from '../../src/data/list-folder.ts';
import { isPictureName, readPicture } from '../../src/data/picture.ts';
import { pictureFloats, pictureInput } from '../../src/data/picture-input.ts';
import type { Pixels } from '../../src/data/pixels.ts';
import { prepareSeries } from '../../src/data/series.ts';
import { readSeriesFile } from '../../src/data/signal-folder.ts';
import { encodeTable } from '../../src/data/table-inputs.ts';
import { inputSize, type Model } from '../../src/model/model.ts';
import type { ImageInputs, Preparation, TableInputs } from '../../src/model/preparation.ts';
import { preparationOf } from '../../src/model/preparation-metadata.ts';
import { type DataChoice, dataTitle, openData } from '../common/data.ts';
import { imageInputs } from './image-inputs.ts';
import { classesOf, expectSameClasses } from './same-classes.ts';

/** Where an input comes from: a picture, or a row of a file, counted from 1. */
export interface Source {
  readonly picture?: string;
  readonly file?: string;
  readonly row?: number;
}

export interface Input extends Source {
  readonly input: Float32Array<ArrayBuffer>;
}

export interface InputOptions extends DataChoice {
  /** Pictures: light on dark; default: as the model file says. */
  invert?: ImageInputs['invert'];
}

const hasTable = (preparation: Preparation | undefined): preparation is Preparation & { inputs: TableInputs } =>
  preparation?.inputs.kind === 'table';

/** `file`: the model's. `note` receives what was left out or assumed. Throws `DataError`. */
export async function inputsOf(
  file: string,
  model: Model,
  paths: readonly string[],
  options: InputOptions,
  note: (line: string) => void,
): Promise<Input[]> {
  const preparation = preparationOf(model);
  if (hasTable(preparation)) {
    if (options.dataDir !== undefined) note(`${file} says how to read columns: --data-dir is not needed`);
    const picture = paths.find(isPictureName);
    if (picture !== undefined) {
      throw new DataError(
        `predict: expected CSV files, as ${file} is a model of tables; got ${picture}. Name a CSV file with its columns.`,
      );
    }
    const found: Input[] = [];
    for (const path of paths) {
      const content = await readInput(path, limits.csvBytes);
      const rows = isJsonLinesName(path)
        ? jsonLinesFor(content, path, preparation.inputs)
        : readRows(content, path, preparation, options.header);
      for (const line of [...rows.notes, ...unknownNotes(preparation.inputs, rows)]) note(line);
      found.push(...rowsOf(path, encodeTable(preparation.inputs, rows), model));
    }
    return found;
  }
  if (preparation?.inputs.kind === 'signal') {
    const { inputs } = preparation;
    const { label, header } = options;
    const how = {
      ...(label !== undefined && { label }),
      ...(header !== undefined && { header }),
      length: inputs.length,
    };
    const found: Input[] = [];
    for (const path of paths) {
      const { series } = await readSeriesFile(path, how);
      found.push(...series.map((one, i) => ({ file: path, row: i + 1, input: prepareSeries(one, inputs) })));
    }
    return found;
  }
  const opened = options.dataDir === undefined ? undefined : await openData(options);
  if (!opened?.inputs) return pictureInputs(model, paths, options.invert);
  expectSameClasses(file, model, dataTitle(options), await opened.load('train'));
  const found: Input[] = [];
  for (const path of paths) {
    const rows = opened.inputs(await readInput(path, limits.csvBytes), path);
    if (model.input.length !== 1 || rows.length % inputSize(model) !== 0) {
      throw new DataError(
        `${dataTitle(options)}: ${path}: expected rows of the model's input (${model.input.join(' x ')}), got ${rows.length} ` +
          'numbers by the columns of the training data. Name the folder that the model was trained on.',
      );
    }
    found.push(...rowsOf(path, rows, model));
  }
  return found;
}

function rowsOf(file: string, features: Float32Array<ArrayBuffer>, model: Model): Input[] {
  const size = inputSize(model);
  return Array.from({ length: features.length / size }, (_, i) => ({
    file,
    row: i + 1,
    input: features.subarray(i * size, (i + 1) * size),
  }));
}

async function pictureInputs(
  model: Model,
  paths: readonly string[],
  invert: ImageInputs['invert'] | undefined,
): Promise<Input[]> {
  const toInput = pictureReader(model, invert);
  const found: Input[] = [];
  for (const path of paths) {
    for (const picture of await picturesAt(path)) {
      found.push({
        picture,
        input: toInput(await readPicture(await readInput(picture, Math.max(limits.pngBytes, limits.jpegBytes)))),
      });
    }
  }
  return found;
}

/** The file itself, or the pictures in a folder and its subfolders. */
async function picturesAt(path: string): Promise<string[]> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [path];
  const { folders, files } = await listFolder(path);
  const found = files.filter(isPictureName).map((name) => join(path, name));
  for (const name of folders) found.push(...(await picturesAt(join(path, name))));
  if (found.length) return found;
  throw new DataError(`${path}: expected PNG or JPEG files in this folder, got none. Name another folder.`);
}

/** From pixels to inputs as the model file says. An older file says nothing: its pixels are not rounded to bytes. */
function pictureReader(
  model: Model,
  invert: ImageInputs['invert'] | undefined,
): (picture: Pixels) => Float32Array<ArrayBuffer> {
  const turn = invert !== undefined && { invert };
  const prepared = preparationOf(model)?.inputs;
  if (prepared?.kind === 'image') return (picture) => pictureInput(picture, { ...prepared, ...turn });
  const inputs = imageInputs(model, classesOf(model) ? false : 'auto');
  if (inputs) return (picture) => pictureFloats(picture, { ...inputs, ...turn });
  throw new DataError(
    `predict: expected a model of pictures, (height, width) or (height, width, 3); got input ${model.input.join(' x ')}. ` +
      'If its data were tables, name their folder with --data-dir, and CSV files of rows.',
  );
}
