/** The best of several seeds, by validation rows: never by the test, which then says what the choice was worth. */
import type { Figures } from '../../src/train/figures.ts';
import { deviation, mean } from '../common/output.ts';
import { scoreOf } from './figures.ts';

interface Seed {
  readonly seed: number;
  readonly test: Figures;
  readonly validation?: Figures;
}

export interface Choice {
  /** What the scores are: 'accuracy', 'micro F1' or 'R2'. */
  readonly score: string;
  readonly seed: number;
  /** Scores of the chosen seed. */
  readonly validation: number;
  readonly test: number;
  /** Its test score above that of the mean seed. */
  readonly gain: number;
  /** Of the seeds, n - 1. */
  readonly validationMean: number;
  readonly validationDeviation: number;
  readonly lowestTest: number;
  readonly highestTest: number;
}

const scores = (figures: readonly Figures[]) => figures.map((one) => scoreOf(one).value);
const validationScore = ({ validation }: Seed) => scoreOf(validation!).value;

/** Of two that are as good, the earlier seed stays. */
export const isBetter = (run: Seed, kept: Seed): boolean => validationScore(run) > validationScore(kept);

export function choiceOf(runs: readonly Seed[], kept: Seed): Choice {
  const validation = runs.map(validationScore);
  const test = scores(runs.map((run) => run.test));
  const keptTest = scoreOf(kept.test);
  return {
    score: keptTest.name,
    seed: kept.seed,
    validation: validationScore(kept),
    test: keptTest.value,
    gain: keptTest.value - mean(test),
    validationMean: mean(validation),
    validationDeviation: deviation(validation),
    lowestTest: Math.min(...test),
    highestTest: Math.max(...test),
  };
}

export function choiceText(choice: Choice): string {
  const { score } = choice;
  const text = (value: number) => (score === 'R2' ? value.toFixed(4) : `${(100 * value).toFixed(2)}%`);
  const gain = `${choice.gain < 0 ? '' : '+'}${score === 'R2' ? choice.gain.toFixed(4) : `${(100 * choice.gain).toFixed(2)} points`}`;
  return [
    `validation ${score}: ${text(choice.validationMean)} +- ${text(choice.validationDeviation)}; best: seed ${choice.seed} with ${text(choice.validation)}`,
    `its test ${score}: ${text(choice.test)}, ${gain} against the mean seed (seeds: ${text(choice.lowestTest)} to ${text(choice.highestTest)})`,
  ].join('\n');
}
