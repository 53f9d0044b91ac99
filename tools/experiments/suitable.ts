/** Which runs of a plan suit a user's own data. */
import { DataError, ShapeError } from '../../src/core/errors.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import { placeLayers } from '../../src/model/model.ts';
import { parseLayers } from '../common/architecture.ts';
import type { Experiment } from './experiment.ts';
import { networkText } from './lab.ts';
import { type RunSpec, runSpec } from './spec.ts';

/** Held out in place of more rows than the data can spare. */
const VALIDATION_SHARE = 0.1;

/** Whether the network can be built for such rows: receptive fields and convolutions need images. */
function isBuildable(spec: RunSpec, train: DataSet): boolean {
  try {
    placeLayers({ input: train.shape, layers: parseLayers(networkText(spec, train)) });
    return true;
  } catch (error) {
    if (error instanceof ShapeError) return false;
    throw error;
  }
}

/**
 * The runs that can be made on the data, with fewer validation rows where it has not enough of them. Throws `DataError`
 * where the data has no classes, or suits no run.
 */
export function suitableRuns(
  experiment: Experiment,
  plan: readonly RunSpec[],
  train: DataSet,
  title: string,
): RunSpec[] {
  if (train.targets) {
    throw new DataError(
      `${title}: expected data with classes, which experiments compare; got ${train.preparation?.outputs.task ?? 'numbers'}. ` +
        'Name the column of a class by its header (label, class or target), or use train.',
    );
  }
  const suitable = plan.filter((spec) => isBuildable(spec, train) && (experiment.suits?.(spec, train) ?? true));
  if (!suitable.length) {
    throw new DataError(
      `${experiment.name}: expected data for one of its ${plan.length} runs, got rows of ${train.shape.join(' x ')} in ${title}. ` +
        'Most experiments take tables; receptive fields and convolutions need images.',
    );
  }
  return suitable.map((spec) => {
    if (!spec.validationRows || 2 * spec.validationRows < train.rows) return spec;
    const { key: _, series: __, ...rest } = spec;
    return runSpec({ ...rest, validationRows: Math.max(1, Math.floor(VALIDATION_SHARE * train.rows)) });
  });
}
