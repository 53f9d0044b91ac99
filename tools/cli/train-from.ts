/** `weightless train --from MODEL`: the model to train further, and data encoded as the model reads it. */
import { DataError } from '../../src/core/errors.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import type { Model } from '../../src/model/model.ts';
import { preparationOf } from '../../src/model/preparation-metadata.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { type DataChoice, dataTitle } from '../common/data.ts';
import { readModelFile } from '../common/model-file.ts';
import { inputsFor, rowsFor } from './eval-data.ts';

/**
 * Reads the model file. `inputs` says how it reads pictures or tables. `model` returns a new copy each time; `rows`
 * returns rows with targets on the model's scale and throws `DataError` where the model has another task, other classes,
 * or encodes the columns of a table differently.
 */
export async function openStart(file: string, choice: DataChoice) {
  const bytes = await readModelFile(file);
  const first = readModel(bytes);
  const preparation = preparationOf(first);
  if (preparation?.inputs.kind === 'signal') {
    throw new DataError(`${file}: expected a model of pictures or tables, got one of signals. Train it anew.`);
  }
  return {
    inputs: inputsFor(first),
    model: (): Model => readModel(bytes),
    rows: (data: DataSet): DataSet => rowsFor(file, first, dataTitle(choice), data),
  };
}
