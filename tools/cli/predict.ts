/** `weightless predict`: the class of each picture, or of each row of tables. */

import type { Backend } from '../../src/backend/backend.ts';
import { DataError } from '../../src/core/errors.ts';
import { readInput } from '../../src/core/files.ts';
import { limits } from '../../src/data/limits.ts';
import { readPicture } from '../../src/data/picture.ts';
import { pictureFloats, pictureInput } from '../../src/data/picture-input.ts';
import type { Pixels } from '../../src/data/pixels.ts';
import { inputSize, type Model } from '../../src/model/model.ts';
import { preparationOf } from '../../src/model/preparation-metadata.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { createPredictor, softmax } from '../../src/predict/predictor.ts';
import { type DataChoice, dataTitle, openData } from '../common/data.ts';
import { readModelFile } from '../common/model-file.ts';
import { percent, print, table } from '../common/output.ts';
import { imageInputs } from './image-inputs.ts';
import { classesOf, expectSameClasses } from './same-classes.ts';

export interface PredictOptions extends DataChoice {
  json?: boolean;
  /** Turn pictures into light on dark; default `auto`, but false for a model of the user's own pictures. */
  invert?: 'auto' | boolean;
}

/** An input of the model: a picture, or a row of a table, counted from 1. */
interface Input {
  readonly picture?: string;
  readonly file?: string;
  readonly row?: number;
  readonly input: Float32Array<ArrayBuffer>;
}

interface Prediction extends Omit<Input, 'input'> {
  readonly class: number;
  readonly name?: string;
  readonly scores: number[];
  readonly logits: number[];
}

export async function predictCommand(
  context: Backend,
  file: string,
  inputs: readonly string[],
  options: PredictOptions,
): Promise<void> {
  const model = readModel(await readModelFile(file));
  const names = classesOf(model);
  const nameOf = (label: number) => names?.[label] ?? String(label);
  const opened = options.dataDir === undefined ? undefined : await openData(options);
  const toPredict: Input[] = [];
  if (opened?.inputs) {
    expectSameClasses(file, model, dataTitle(options), await opened.load('train'));
    for (const path of inputs) {
      const rows = opened.inputs(await readInput(path, limits.csvBytes), path);
      toPredict.push(...rowsOf(rows, model, `${dataTitle(options)}: ${path}`).map((row) => ({ file: path, ...row })));
    }
  } else {
    const toInput = pictureReader(model, options.invert);
    for (const path of inputs) {
      toPredict.push({
        picture: path,
        input: toInput(await readPicture(await readInput(path, Math.max(limits.pngBytes, limits.jpegBytes)))),
      });
    }
  }
  const predictor = await createPredictor(context, model);
  const predictions: Prediction[] = [];
  for (const { input, ...source } of toPredict) {
    const logits = await predictor.predict(input);
    const scores = [...softmax(logits, logits.length)];
    const best = scores.indexOf(Math.max(...scores));
    predictions.push({ ...source, class: best, ...(names && { name: nameOf(best) }), scores, logits: [...logits] });
  }
  await predictor.dispose();
  print(options.json, predictions, () =>
    table(
      [opened?.inputs ? 'row' : 'picture', 'class', 'score', 'next'],
      predictions.map(({ picture, file, row, class: best, scores }) => {
        const order = scores.map((_, i) => i).sort((a, b) => scores[b]! - scores[a]!);
        const next = order.length > 1 ? `${nameOf(order[1]!)} (${percent(scores[order[1]!]!)})` : '';
        return [picture ?? `${file} ${row}`, nameOf(best), percent(scores[best]!), next];
      }),
    ),
  );
}

function rowsOf(rows: Float32Array<ArrayBuffer>, model: Model, title: string): Pick<Input, 'row' | 'input'>[] {
  const size = inputSize(model);
  if (model.input.length !== 1 || rows.length % size !== 0) {
    throw new DataError(
      `${title}: expected rows of the model's input (${model.input.join(' x ')}), got ${rows.length} numbers by the columns of the ` +
        'training data. Name the folder that the model was trained on.',
    );
  }
  return Array.from({ length: rows.length / size }, (_, i) => ({
    row: i + 1,
    input: rows.slice(i * size, (i + 1) * size),
  }));
}

/** From pixels to inputs as the model file says. An older file says nothing: its pixels are not rounded to bytes. */
function pictureReader(model: Model, invert: PredictOptions['invert']): (picture: Pixels) => Float32Array<ArrayBuffer> {
  const turn = invert !== undefined && { invert };
  const prepared = preparationOf(model)?.inputs;
  if (prepared?.kind === 'image') return (picture) => pictureInput(picture, { ...prepared, ...turn });
  const inputs = imageInputs(model, classesOf(model) ? false : 'auto');
  if (inputs) return (picture) => pictureFloats(picture, { ...inputs, ...turn });
  throw new DataError(
    `predict: expected a model of pictures, (height, width) or (height, width, 3); got input ${model.input.join(' x ')}. ` +
      'If its data were tables, name their folder by --data-dir, and CSV files of rows to be classified.',
  );
}
