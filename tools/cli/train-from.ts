/** `weightless train --from MODEL`: the model to train further, and data encoded as the model reads it. */
import { DataError } from '../../src/core/errors.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import type { Model } from '../../src/model/model.ts';
import { preparationOf } from '../../src/model/preparation-metadata.ts';
import { readModel } from '../../src/model/safetensors.ts';
import { type DataChoice, dataTitle } from '../common/data.ts';
import { readModelFile } from '../common/model-file.ts';
import { choiceFor, testRowsFor } from './eval-data.ts';
import { imageInputs } from './image-inputs.ts';
import { expectSameClasses } from './same-classes.ts';

/**
 * Reads the model file. `model` returns a new copy each time; `rows` returns rows with targets on the model's scale and
 * throws `DataError` where the model has another task, other classes, or encodes the columns of a table differently.
 */
export async function openStart(file: string, asked: DataChoice) {
  const bytes = await readModelFile(file);
  const first = readModel(bytes);
  const preparation = preparationOf(first);
  const choice = choiceFor(asked, preparation);
  const title = dataTitle(choice);
  if (preparation?.inputs.kind === 'signal') {
    throw new DataError(`${file}: expected a model of pictures or tables, got one of signals. Train it anew.`);
  }
  return {
    choice,
    inputs: imageInputs(first, false),
    model: (): Model => readModel(bytes),
    rows(data: DataSet): DataSet {
      expectSameClasses(file, first, title, data);
      const [expected, got] = [preparation?.inputs, data.preparation?.inputs];
      if (expected?.kind === 'table' && JSON.stringify(expected) !== JSON.stringify(got)) {
        throw new DataError(
          `${title}: expected columns, categories, means and deviations as in ${file}, got others. ` +
            'Train on the same training rows, or train a new model.',
        );
      }
      return testRowsFor(file, preparation, title, data);
    },
  };
}
