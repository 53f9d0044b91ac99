/** Labelled rows for a model that says what its outputs are: the same task, classes, labels and units. */
import { DataError } from '../../src/core/errors.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import { isTablePreparation, type TablePreparation } from '../../src/data/labelled-table.ts';
import type { Model } from '../../src/model/model.ts';
import {
  type ImageInputs,
  inUnits,
  outputNames,
  type Preparation,
  type SignalInputs,
} from '../../src/model/preparation.ts';
import { preparationOf } from '../../src/model/preparation-metadata.ts';
import { imageInputs } from './image-inputs.ts';
import { counted, expectSameClasses } from './same-classes.ts';

/** How a model reads its data: what `openData` needs to know of it. Undefined where its file does not say. */
export function inputsFor(model: Model): ImageInputs | SignalInputs | TablePreparation | undefined {
  const preparation = preparationOf(model);
  if (isTablePreparation(preparation)) return preparation;
  return preparation?.inputs.kind === 'signal' ? preparation.inputs : imageInputs(model, false);
}

/**
 * Rows with targets on the scale of the model. Throws `DataError` where the data has another task, other classes, labels
 * or targets, or where its columns are encoded differently.
 */
export function rowsFor(file: string, trained: Model, title: string, data: DataSet): DataSet {
  expectSameClasses(file, trained, title, data);
  const preparation = preparationOf(trained);
  expectSameColumns(file, preparation, title, data);
  const [model, own] = [preparation?.outputs, data.preparation?.outputs];
  if (!model || !own) return data;
  if (model.task !== own.task) {
    throw new DataError(
      `${title}: expected data for ${model.task}, as ${file} was trained for; got data for ${own.task}. Add --task ${model.task}, or name the column by --label.`,
    );
  }
  if (model.task === 'classification') return data; // expectSameClasses has compared the names
  const [expected, got] = [outputNames(model), outputNames(own)];
  if (expected.length !== got.length || expected.some((name, i) => name !== got[i])) {
    throw new DataError(
      `${title}: expected the ${model.task === 'regression' ? 'targets' : 'labels'} of ${file} (${counted(expected)}), got ${counted(got)}. ` +
        'Name the data that the model was trained on, or train a new model.',
    );
  }
  if (model.task !== 'regression' || own.task !== 'regression') return data;
  const width = model.targets.length;
  const targets = data.targets!.map((value, i) => {
    const [from, to] = [own.targets[i % width]!, model.targets[i % width]!];
    return (inUnits(from, value) - to.mean) / to.deviation;
  });
  return { ...data, targets, preparation: { ...data.preparation!, outputs: model } };
}

/** Throws `DataError` where a table is encoded differently. */
function expectSameColumns(file: string, preparation: Preparation | undefined, title: string, data: DataSet): void {
  if (!isTablePreparation(preparation)) return;
  if (JSON.stringify(preparation.inputs) === JSON.stringify(data.preparation?.inputs)) return;
  throw new DataError(
    `${title}: expected columns, categories, means and deviations as in ${file}, got others. ` +
      'Name the data that the model was trained on by --data, or a folder by --data-dir.',
  );
}
