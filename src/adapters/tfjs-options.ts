/** What the layers and products are asked for. */
import type { ActivationName, DistributionName, Seed } from '../ops.ts';

/** Which random matrix. */
export interface RandomOptions {
  /** Distribution of the random weights; default `normal`. */
  weights?: DistributionName;
  /** Default 0. */
  seed?: Seed;
  /** Number of the matrix within its model; layers of one seed want different ones. Default 0. */
  tensor?: number;
}

export interface HalfDenseOptions extends RandomOptions {
  units: number;
  /** Default `relu`. */
  activation?: ActivationName;
  /** Of the layer, as TensorFlow.js knows it. */
  name?: string;
  inputShape?: number[];
  trainable?: boolean;
}

export interface VeraDenseOptions extends RandomOptions {
  units: number;
  /** Rows of A and columns of B. */
  rank: number;
  /** Where d starts; default 0.1, as in the paper. b starts as 0, so that an untrained adapter changes nothing. */
  dInitial?: number;
  name?: string;
  inputShape?: number[];
  trainable?: boolean;
}
