/**
 * Chooses the best of several seeds by rows held out of the training data. The test data take no part in the choice, so
 * their accuracy shows what it gained.
 */
import type { DataSet } from '../../src/data/dataset.ts';
import { holdOut } from '../../src/data/split.ts';
import { deviation, mean, percent } from '../common/output.ts';

/** By default one in this many training rows is held out. */
const ONE_IN = 12;

interface Seed {
  readonly seed: number;
  readonly testAccuracy: number;
  readonly validationAccuracy?: number;
}

export interface Choice {
  readonly seed: number;
  readonly validationAccuracy: number;
  readonly testAccuracy: number;
  /** Test accuracy of the chosen seed minus the mean over all seeds. */
  readonly gain: number;
  /** Over the seeds; the deviation divides by n - 1. */
  readonly validationMean: number;
  readonly validationDeviation: number;
  readonly lowestTest: number;
  readonly highestTest: number;
}

/** Throws `DataError` if no rows would be left to train on. */
export const heldOut = (train: DataSet, rows = Math.max(1, Math.floor(train.rows / ONE_IN))) => holdOut(train, rows);

/** On a tie the earlier seed stays chosen. */
export const isBetter = (run: Seed, chosen: Seed): boolean => run.validationAccuracy! > chosen.validationAccuracy!;

export function choiceOf(runs: readonly Seed[], chosen: Seed): Choice {
  const validation = runs.map((run) => run.validationAccuracy!);
  const test = runs.map((run) => run.testAccuracy);
  return {
    seed: chosen.seed,
    validationAccuracy: chosen.validationAccuracy!,
    testAccuracy: chosen.testAccuracy,
    gain: chosen.testAccuracy - mean(test),
    validationMean: mean(validation),
    validationDeviation: deviation(validation),
    lowestTest: Math.min(...test),
    highestTest: Math.max(...test),
  };
}

export function choiceText(choice: Choice): string {
  const points = `${choice.gain < 0 ? '' : '+'}${(100 * choice.gain).toFixed(2)} points`;
  return [
    `held-out accuracy: ${percent(choice.validationMean)} +- ${percent(choice.validationDeviation)}; best: seed ${choice.seed} with ${percent(choice.validationAccuracy)}`,
    `its test accuracy: ${percent(choice.testAccuracy)}, ${points} against the mean seed (seeds: ${percent(choice.lowestTest)} to ${percent(choice.highestTest)})`,
  ].join('\n');
}
