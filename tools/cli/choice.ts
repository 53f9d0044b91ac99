/** The best of several seeds, by rows held out of the training data: never by the test, which then says what the choice was worth. */
import type { DataSet } from '../../src/data/dataset.ts';
import { holdOut } from '../../src/data/split.ts';
import { deviation, mean, percent } from '../common/output.ts';

/** One in so many training rows is held out, if the user does not say how many. */
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
  /** Test accuracy above that of the mean seed. */
  readonly gain: number;
  /** Of the seeds, n - 1. */
  readonly validationMean: number;
  readonly validationDeviation: number;
  readonly lowestTest: number;
  readonly highestTest: number;
}

/** Throws `DataError` where nothing would be left to train on. */
export const heldOut = (train: DataSet, rows = Math.max(1, Math.floor(train.rows / ONE_IN))) => holdOut(train, rows);

/** Of two that are as good, the earlier seed stays. */
export const isBetter = (run: Seed, kept: Seed): boolean => run.validationAccuracy! > kept.validationAccuracy!;

export function choiceOf(runs: readonly Seed[], kept: Seed): Choice {
  const validation = runs.map((run) => run.validationAccuracy!);
  const test = runs.map((run) => run.testAccuracy);
  return {
    seed: kept.seed,
    validationAccuracy: kept.validationAccuracy!,
    testAccuracy: kept.testAccuracy,
    gain: kept.testAccuracy - mean(test),
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
