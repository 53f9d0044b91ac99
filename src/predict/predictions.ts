/** Outputs of a model as predictions, as it says what they mean. */
import { DataError } from '../core/errors.ts';
import { type ClassOutputs, inUnits, type LabelOutputs, type TargetOutputs } from '../model/preparation.ts';
import { softmax } from './softmax.ts';

/** A class or a label of an input. */
export interface Prediction {
  readonly label: string;
  readonly probability: number;
}

/** A number that a model of regression predicts. */
export interface Estimate {
  readonly target: string;
  /** In the unit of the training data. */
  readonly value: number;
  readonly unit?: string;
}

/** The likeliest classes of each row, likeliest first; or all labels whose probability is at least the threshold. */
export function predictionsOf(
  outputs: ClassOutputs | LabelOutputs,
  logits: Float32Array,
  { width, top = width }: { width: number; top?: number },
): Prediction[][] {
  if (!(Number.isSafeInteger(top) && top > 0)) throw new DataError(`classify: expected top of 1 or more, got ${top}`);
  const isClasses = outputs.task === 'classification';
  const names = isClasses ? outputs.classes : outputs.labels;
  const least = isClasses ? 0 : outputs.threshold;
  const probabilities = isClasses ? softmax(logits, width) : logits.map((logit) => 1 / (1 + Math.exp(-logit)));
  return Array.from({ length: logits.length / width }, (_, row) =>
    Array.from(probabilities.subarray(row * width, (row + 1) * width), (probability, i) => ({
      label: names[i] ?? String(i),
      probability,
    }))
      .filter(({ probability }) => probability >= least)
      .sort((a, b) => b.probability - a.probability)
      .slice(0, top),
  );
}

/** The targets of each row, in their order. */
export const estimatesOf = ({ targets }: TargetOutputs, values: Float32Array): Estimate[][] =>
  Array.from({ length: values.length / targets.length }, (_, row) =>
    targets.map((target, i) => ({
      target: target.name,
      value: inUnits(target, values[row * targets.length + i]!),
      ...(target.unit !== undefined && { unit: target.unit }),
    })),
  );
