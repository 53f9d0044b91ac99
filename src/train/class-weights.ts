/** Weights of classes, for data in which some classes are rare. */
import { toFloat32Array } from '../core/arrays.ts';
import { OptionError } from '../core/errors.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Loss } from '../graph/losses.ts';

/** 'balanced', or one number for each output of the model. */
export type ClassWeights = 'balanced' | ArrayLike<number>;

/**
 * rows / (classes * rows of the class), over the classes that have rows: each class then contributes as much to the loss
 * as any other, and the mean weight of a row is 1. A class without rows gets 1.
 */
export function balancedWeights(labels: ArrayLike<number>, classes: number): Float32Array<ArrayBuffer> {
  const counts = new Float64Array(classes);
  for (let row = 0; row < labels.length; row++) counts[labels[row]!]!++;
  const present = counts.filter((count) => count > 0).length;
  return Float32Array.from(counts, (count) => (count ? labels.length / (present * count) : 1));
}

/** The weight of each output's class. Throws `OptionError` for weights that do not fit the model, the data or the loss. */
export function classWeightsOf(
  weights: ClassWeights,
  { data, outputs, loss }: { data: DataSet; outputs: number; loss: Loss },
): Float32Array<ArrayBuffer> {
  if (loss !== 'crossEntropy') {
    throw new OptionError(`fit: expected classWeights only with the loss crossEntropy, got the loss ${loss}`);
  }
  if (weights === 'balanced') return balancedWeights(data.labels, outputs);
  if (typeof weights === 'string') {
    throw new OptionError(`fit: expected classWeights to be 'balanced' or ${outputs} numbers, got '${weights}'`);
  }
  const floats = toFloat32Array('fit: classWeights', weights, OptionError);
  if (floats.length !== outputs) {
    throw new OptionError(
      `fit: expected ${outputs} classWeights, one for each output of the model; got ${floats.length}`,
    );
  }
  const bad = floats.findIndex((weight) => !(weight >= 0 && Number.isFinite(weight)));
  if (bad >= 0) {
    throw new OptionError(`fit: expected finite classWeights of 0 or more, got ${floats[bad]} for class ${bad}`);
  }
  if (!floats.some((weight) => weight > 0)) {
    throw new OptionError('fit: expected a classWeights above 0, got only zeros, with which nothing is trained');
  }
  return floats;
}
