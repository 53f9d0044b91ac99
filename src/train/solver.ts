/**
 * Training without a learning rate: where only a linear output is trained on top of frozen layers, its best weights are
 * the solution of a convex problem. `ridge` solves it in one pass, `logistic` in a few.
 */
import type { Backend } from '../backend/backend.ts';
import { OptionError } from '../core/errors.ts';
import type { DataSet } from '../data/dataset.ts';
import type { Loss } from '../graph/losses.ts';
import type { Model } from '../model/model.ts';
import { classTargets, type LinearOutput } from '../solve/ridge.ts';
import type { Seed } from '../weights/stream.ts';
import { FeatureTiles, partsOf } from './features.ts';
import type { OpenProblem } from './open-problem.ts';
import { LossPass } from './output-passes.ts';
import { shuffle } from './shuffle.ts';
import { solveLogistic } from './solve-logistic.ts';
import { solveRidge } from './solve-ridge.ts';
import { type SolverName, solverNames } from './solver-names.ts';

/** The losses that each solver minimises. */
const lossesOf: Readonly<Record<SolverName, readonly Loss[]>> = {
  ridge: ['crossEntropy', 'meanSquaredError'],
  logistic: ['crossEntropy', 'binaryCrossEntropy'],
};

export interface SolveOptions {
  readonly solver: SolverName;
  readonly loss: Loss;
  /** Order of the rows. */
  readonly seed: Seed;
  /** Bytes in which features may be cached. */
  readonly prefixBudget: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: {
    readonly phase: 'prefix' | 'train';
    readonly epoch: number;
    readonly done: number;
    readonly total: number;
  }) => unknown;
}

/** Rows held out to choose the penalty of `logistic`: one in twelve, at most so many. */
const HELD_OUT = 5000;

/** Throws `OptionError` unless this solver can train this model by this loss. */
export function expectSolvable(model: Model, solver: SolverName, loss: Loss): void {
  partsOf(`fit with solver '${solver}'`, model);
  const known = lossesOf[solver];
  if (known.includes(loss)) return;
  const other = solverNames.find((name) => lossesOf[name].includes(loss));
  throw new OptionError(
    `fit with solver '${solver}': expected loss ${known.join(' or ')}, got ${loss}. ` +
      (other ? `Use solver '${other}'.` : 'Train by gradient descent, without a solver.'),
  );
}

/** Solves the output layer of the model in place; returns the loss and the accuracy over the data. */
export async function solveOutput(
  backend: Backend,
  model: Model,
  data: DataSet,
  options: SolveOptions,
): Promise<{ loss: number; accuracy: number }> {
  const { solver, loss, seed, prefixBudget, signal, onProgress } = options;
  const parts = partsOf(`fit with solver '${solver}'`, model);
  const forward = parts.frozen && (await backend.forward(parts.frozen));
  try {
    const order = new Uint32Array(data.rows);
    shuffle(order, seed, 1);
    const held = solver === 'logistic' ? Math.min(HELD_OUT, Math.floor(data.rows / 12)) : 0;
    let done = 0;
    const onRows = (rows: number) => {
      done = Math.min(data.rows, done + rows);
      return onProgress?.({ phase: 'prefix', epoch: 0, done, total: data.rows });
    };
    const tiles = (part: Uint32Array, budget: number) =>
      new FeatureTiles(forward, parts.columns, data, part, { budget, onRows, ...(signal && { signal }) });
    const heldBytes = 4 * held * parts.columns;
    const problem: OpenProblem = {
      backend,
      parts,
      data,
      loss,
      held: tiles(order.subarray(0, held), Math.min(heldBytes, prefixBudget)),
      tiles: tiles(order.subarray(held), Math.max(0, prefixBudget - heldBytes)),
      targetsOf: targetsOf(data, parts.outputs),
      numbersOf: numbersOf(data, parts.outputs),
      onPass: (epoch) => onProgress?.({ phase: 'train', epoch, done: data.rows, total: data.rows }),
    };
    const solved = await (solver === 'ridge' ? solveRidge : solveLogistic)(problem);
    model.parameters.set(parts.weight, solved.weights).set(parts.bias, solved.bias);
    return await lossOf(problem, solved);
  } finally {
    await forward?.dispose();
  }
}

function targetsOf({ labels, targets }: DataSet, outputs: number): OpenProblem['targetsOf'] {
  return (rows) => (targets ? gathered(targets, rows, outputs) : Uint32Array.from(rows, (row) => labels[row]!));
}

function numbersOf({ labels, targets }: DataSet, outputs: number): OpenProblem['numbersOf'] {
  return (rows) =>
    targets
      ? gathered(targets, rows, outputs)
      : classTargets(
          Uint32Array.from(rows, (row) => labels[row]!),
          outputs,
        );
}

function gathered(targets: Float32Array, rows: Uint32Array, outputs: number): Float32Array<ArrayBuffer> {
  const picked = new Float32Array(rows.length * outputs);
  rows.forEach((row, i) => {
    picked.set(targets.subarray(row * outputs, (row + 1) * outputs), i * outputs);
  });
  return picked;
}

/** Means over all rows. */
async function lossOf(
  { backend, parts, data, loss, held, tiles, targetsOf }: OpenProblem,
  output: LinearOutput,
): Promise<{ loss: number; accuracy: number }> {
  const pass = new LossPass(backend, { ...parts, loss, gradient: false });
  try {
    let [sum, hits] = [0, 0];
    for (const part of [held, tiles]) {
      for await (const { rows, features } of part.tiles()) {
        const made = await pass.run(rows.length, features, targetsOf(rows), output);
        sum += made.loss;
        hits += made.hits;
      }
    }
    return { loss: sum / data.rows, accuracy: hits / data.rows };
  } finally {
    pass.dispose();
  }
}
