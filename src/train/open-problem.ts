/** The training of a linear output, as the solvers take it. */
import type { Backend } from '../backend/backend.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Loss } from '../graph/losses.ts';
import type { FeatureTiles, Parts } from './features.ts';

/** A problem on a backend, as each solver takes it. */
export interface OpenProblem {
  readonly backend: Backend;
  readonly parts: Parts;
  readonly data: DataSet;
  readonly loss: Loss;
  /** Rows to hold out of the training; none with `ridge`. */
  readonly held: FeatureTiles;
  readonly tiles: FeatureTiles;
  /** Labels or targets of these rows, as the loss takes them. */
  targetsOf(rows: Uint32Array): Float32Array | Uint32Array;
  /** The same as numbers to fit: classes as 1 and -1. */
  numbersOf(rows: Uint32Array): Float32Array<ArrayBuffer>;
  /** Reports that another pass over the rows is done. */
  onPass(pass: number): unknown;
}
