import { WeightlessError } from '../../src/core/errors.ts';

/** An experiment that there is not, a results file that is damaged or in use, a run that failed. */
export class ExperimentError extends WeightlessError {
  override readonly name = 'ExperimentError';
}
