/** One training step of inputs-units-classes with ReLU: forward, backward, Adam, on one batch. */
import { type DataSet, dataSet } from '../../src/data/dataset.ts';
import type { Optimizer } from '../../src/graph/optimizers.ts';
import { elements } from '../../src/graph/value.ts';
import { dense, halfDense } from '../../src/layers/dense.ts';
import { type Model, sequential } from '../../src/model/model.ts';
import { evaluateGraph } from '../../src/reference/graph.ts';
import { randomMatrix } from '../../src/reference/random_matmul.ts';
import { batchGraph } from '../../src/train/graphs.ts';
import type { DistributionName } from '../../src/weights/distributions.ts';
import type { Variant } from '../engines/engine.ts';
import { uniform } from '../random.ts';
import type { Tolerance } from '../verify.ts';

export interface TrainingTask {
  readonly kind: 'training';
  /** `half`: the first layer's random weights are constant; its scale and bias are trained. `full`: all are trained. */
  readonly network: 'half' | 'full';
  readonly batch: number;
  readonly inputs: number;
  readonly units: number;
  readonly classes: number;
}

export interface TrainingData {
  /** The batch: (batch, inputs) from 0 to 1, and one label per row. */
  readonly batch: DataSet & { readonly features: Float32Array };
  /** The network before its first step. */
  model(distribution: DistributionName): Model;
  /** (inputs, units) weights of the half layer, which a peer has to store. */
  randomWeights(): Float32Array<ArrayBuffer>;
}

const SEED = 7;
export const ADAM = {
  kind: 'adam',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
} as const satisfies Optimizer;
export const LEARNING_RATE = 0.001;
/**
 * Number of steps whose loss is verified. The second loss shows whether the first step updated the parameters
 * correctly.
 */
export const VERIFIED_STEPS = 2;

export const trainingTasks = (): TrainingTask[] =>
  (['half', 'full'] as const).map((network) => {
    return { kind: 'training', network, batch: 128, inputs: 784, units: 1024, classes: 10 };
  });

export function trainingData({ network, batch, inputs, units, classes }: TrainingTask): TrainingData {
  const features = uniform(batch * inputs, 11, [0, 1]);
  const labels = uniform(batch, 12, [0, classes]).map(Math.floor);
  return {
    batch: { ...dataSet({ features, shape: [inputs], labels: [...labels] }), features },
    model(weights) {
      const first =
        network === 'half' ? halfDense({ units, weights, activation: 'relu' }) : dense({ units, activation: 'relu' });
      return sequential([first, dense({ units: classes })], { input: [inputs], seed: SEED });
    },
    randomWeights: () =>
      Float32Array.from(randomMatrix({ seed: SEED, tensor: 0, distribution: 'normal' }, inputs, units)),
  };
}

/** Mean losses of the first steps, in float64. */
export function trainingReference(
  { batch }: TrainingTask,
  { distribution }: Variant,
  data: TrainingData,
): Float64Array {
  const model = data.model(distribution);
  const { graph, source, targets, loss } = batchGraph(model, batch, {
    loss: 'crossEntropy',
    optimizer: ADAM,
    cached: false,
  });
  const values = new Map(
    graph.values
      .filter(({ role }) => role === 'parameter' || role === 'state')
      .map((value) => [
        value,
        Float64Array.from(model.parameters.get(value.name) ?? new Float64Array(elements(value))),
      ]),
  );
  values.set(source, Float64Array.from(data.batch.features));
  values.set(targets, Float64Array.from(data.batch.labels));
  return Float64Array.from({ length: VERIFIED_STEPS }, (_, i) => {
    evaluateGraph(graph, values, { learningRate: LEARNING_RATE, step: i + 1 });
    return meanLoss(values.get(loss)!);
  });
}

/** Mean of the first column of (rows, 2). */
export const meanLoss = (loss: ArrayLike<number>): number => {
  const rows = loss.length / 2;
  let sum = 0;
  for (let i = 0; i < rows; i++) sum += loss[2 * i]!;
  return sum / rows;
};

export const trainingTolerance: Tolerance = {
  absolute: 1e-4,
  relative: 0,
  reason: 'Adam divides by the size of a gradient, so rounding of the smallest ones moves parameters by a whole step',
};

/** Name of the variant that computes its random product before training (src/train/prefix.ts). */
export const FROZEN_PREFIX = 'normal, frozen prefix';

/**
 * Multiply-accumulates of the forward and backward pass. Constant weights get no gradient, so their product counts
 * once, or not at all.
 */
export function trainingMacs({ network, batch, inputs, units, classes }: TrainingTask, { weights }: Variant): number {
  const first = weights === FROZEN_PREFIX ? 0 : network === 'full' ? 2 : 1;
  return batch * (first * inputs * units + 3 * units * classes);
}
