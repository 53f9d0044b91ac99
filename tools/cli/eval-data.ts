/** Test rows for a model that says what its outputs are: the same task, classes, labels and units. */
import { DataError } from '../../src/core/errors.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import { inUnits, outputNames, type Preparation } from '../../src/model/preparation.ts';
import type { DataChoice } from '../common/data.ts';
import { counted } from './same-classes.ts';

/** The choice of data, with label and task as the model of a table has them where the user names none. */
export function choiceFor(choice: DataChoice, preparation: Preparation | undefined): DataChoice {
  if (choice.dataDir === undefined || preparation?.inputs.kind !== 'table') return choice;
  const { inputs, outputs } = preparation;
  const label = outputs.task === 'regression' ? outputs.targets.map(({ name }) => name).join(',') : outputs.label;
  return { task: outputs.task, ...(inputs.header && label !== undefined && { label }), ...choice };
}

/**
 * The rows with targets on the scale of the model. Throws `DataError` where the data has another task, other labels or
 * other targets.
 */
export function testRowsFor(file: string, preparation: Preparation | undefined, title: string, data: DataSet): DataSet {
  const [model, own] = [preparation?.outputs, data.preparation?.outputs];
  if (!model || !own) return data;
  if (model.task !== own.task) {
    throw new DataError(
      `${title}: expected data for ${model.task}, as ${file} was trained for; got data for ${own.task}. Add --task ${model.task}, or name the column by --label.`,
    );
  }
  if (model.task === 'classification') return data; // same-classes.ts compares the names
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
