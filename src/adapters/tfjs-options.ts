/** Options of the layers and products. */
import type { ActivationName, DistributionName, Seed } from '../ops.ts';

/** Selects a random matrix. */
export interface RandomOptions {
  /** Distribution of the random weights; default `normal`. */
  weights?: DistributionName;
  /** Default 0. */
  seed?: Seed;
  /** Number of the matrix within its model; layers with the same seed need different numbers. Default 0. */
  tensor?: number;
}

export interface HalfDenseOptions extends RandomOptions {
  units: number;
  /** Default `relu`. */
  activation?: ActivationName;
  /** Name of the layer in TensorFlow.js. */
  name?: string;
  inputShape?: number[];
  trainable?: boolean;
}

export interface VeraDenseOptions extends RandomOptions {
  units: number;
  /** Rows of A and columns of B. */
  rank: number;
  /** Initial value of d; default 0.1, as in the paper. b starts at 0, so that an untrained adapter has no effect. */
  dInitial?: number;
  name?: string;
  inputShape?: number[];
  trainable?: boolean;
}
