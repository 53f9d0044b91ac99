/**
 * Logistic regression of an output layer, by L-BFGS preconditioned with the products of the features over a sample of
 * the rows. Held-out rows choose the penalty, on the sample, and when to stop.
 */
import type { SymmetricMatrix } from '../solve/algebra.ts';
import { type Iterate, minimise } from '../solve/lbfgs.ts';
import { climb } from '../solve/penalties.ts';
import { folded, type LinearOutput, penalised } from '../solve/ridge.ts';
import type { Standard } from '../solve/standard.ts';
import type { OpenProblem } from './open-problem.ts';
import { LossPass } from './output-passes.ts';
import { momentsOf } from './solve-ridge.ts';

/** Rows of the sample for each feature: with fewer, its products are a poor guide to the curvature. */
const SAMPLE = 4;

/** Penalties on half the squared weights, of the mean loss of a row of the sample. */
const PENALTIES: readonly number[] = [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 0.1, 1, 10];
const FIRST = PENALTIES.indexOf(1e-3);

/** The largest second derivative of the cross-entropy with respect to a logit. */
const CURVATURE = 0.25;

/** When the choice of a penalty stops, and the solution: by the share of the loss that a step gains. */
const ROUGH = { gain: 0.05, steps: 8, patience: 1 };
const FINE = { gain: 0.003, steps: 40, patience: 2 };

interface Chosen {
  readonly parameters: Float64Array<ArrayBuffer>;
  readonly penalty: number;
  /** Loss over the held-out rows. */
  readonly error: number;
}

export async function solveLogistic(problem: OpenProblem): Promise<LinearOutput> {
  const { backend, parts, loss, tiles, held } = problem;
  const { columns, outputs } = parts;
  const moments = await momentsOf(problem, Math.min(tiles.rows, SAMPLE * columns));
  const sampled = moments.rows;
  const standard = moments.standard();
  const curvature = moments.standardise(standard);
  const gradient = new LossPass(backend, { columns, outputs, loss, gradient: true });
  const watched = new LossPass(backend, { columns, outputs, loss, gradient: false });
  const pass = new Objective(problem, standard, gradient, watched);
  try {
    const preconditioners = new Preconditioners(curvature, sampled, outputs);
    let start: Float64Array = new Float64Array((columns + 1) * outputs);
    const solve = async (penalty: number, rows: number, until: typeof ROUGH): Promise<Chosen> => {
      const precondition = await preconditioners.near(penalty);
      const steps = minimise((parameters) => pass.evaluate(parameters, penalty, rows), start, precondition);
      return best(steps, start, penalty, until, (parameters) => pass.heldLoss(parameters));
    };
    const chosen = await climb(
      held.rows ? PENALTIES : [1e-3],
      async (penalty) => {
        const found = await solve(penalty, sampled, ROUGH);
        start = found.parameters;
        return found;
      },
      held.rows ? FIRST : 0,
    );
    start = chosen.parameters;
    const final = await solve((chosen.penalty * sampled) / tiles.rows, tiles.rows, FINE);
    return outputOf(final.parameters, standard, outputs);
  } finally {
    gradient.dispose();
    watched.dispose();
  }
}

/**
 * The iterate with the least loss over the held-out rows, before the steps gain little or the loss rises; without such
 * rows the last one. The start, where no step lowers the objective.
 */
async function best(
  steps: AsyncIterable<Iterate>,
  start: Float64Array,
  penalty: number,
  until: typeof ROUGH,
  heldLoss: (parameters: Float64Array) => Promise<number | undefined>,
): Promise<Chosen> {
  let found: Chosen | undefined;
  let [taken, worse] = [0, 0];
  for await (const { parameters, value, decrease } of steps) {
    const error = (await heldLoss(parameters)) ?? value;
    worse = found && error >= found.error ? worse + 1 : 0;
    if (!found || error < found.error) found = { parameters, penalty, error };
    if (++taken >= until.steps || worse >= until.patience || decrease < until.gain * value) break;
  }
  if (found) return found;
  return { parameters: Float64Array.from(start), penalty, error: (await heldLoss(start)) ?? Number.POSITIVE_INFINITY };
}

/** Weights and biases of standardised features as an output on the features as they come. */
const outputOf = (parameters: Float64Array, standard: Standard, outputs: number): LinearOutput => {
  const split = standard.mean.length * outputs;
  return folded(parameters.subarray(0, split), standard, parameters.subarray(split), outputs);
};

/** Mean loss over rows and its gradient with respect to the weights of standardised features. */
class Objective {
  readonly #problem: OpenProblem;
  readonly #standard: Standard;
  readonly #gradient: LossPass;
  readonly #watched: LossPass;
  #passes = 0;

  constructor(problem: OpenProblem, standard: Standard, gradient: LossPass, watched: LossPass) {
    this.#problem = problem;
    this.#standard = standard;
    this.#gradient = gradient;
    this.#watched = watched;
  }

  async evaluate(parameters: Float64Array, penalty: number, rows: number) {
    const { parts, tiles, targetsOf, onPass } = this.#problem;
    const { outputs } = parts;
    const { mean, factor } = this.#standard;
    const output = outputOf(parameters, this.#standard, outputs);
    const gradient = new Float64Array(parameters.length);
    const split = parameters.length - outputs;
    let [total, value] = [0, 0];
    for await (const tile of tiles.tiles(rows)) {
      const count = tile.rows.length;
      const made = await this.#gradient.run(count, tile.features, targetsOf(tile.rows), output);
      total += count;
      value += made.loss;
      for (let i = 0; i < split; i++) gradient[i]! += count * made.weights![i]!;
      for (let o = 0; o < outputs; o++) gradient[split + o]! += count * made.bias![o]!;
    }
    value /= total;
    for (let o = 0; o < outputs; o++) gradient[split + o]! /= total;
    for (let i = 0; i < split; i++) {
      const [c, o] = [Math.floor(i / outputs), i % outputs];
      const weight = parameters[i]!;
      value += 0.5 * penalty * weight ** 2;
      gradient[i] = factor[c]! * (gradient[i]! / total - mean[c]! * gradient[split + o]!) + penalty * weight;
    }
    await onPass(++this.#passes);
    return { value, gradient };
  }

  /** Mean loss over the held-out rows; undefined where there are none. */
  async heldLoss(parameters: Float64Array): Promise<number | undefined> {
    const { parts, held, targetsOf } = this.#problem;
    if (held.rows === 0) return undefined;
    const output = outputOf(parameters, this.#standard, parts.outputs);
    let loss = 0;
    for await (const tile of held.tiles()) {
      loss += (await this.#watched.run(tile.rows.length, tile.features, targetsOf(tile.rows), output)).loss;
    }
    return loss / held.rows;
  }
}

/** The inverse of a bound on the curvature; one serves penalties within a factor of ten. */
class Preconditioners {
  readonly #products: SymmetricMatrix;
  readonly #rows: number;
  readonly #outputs: number;
  #made: { penalty: number; apply: (vector: Float64Array) => Float64Array } | undefined;

  constructor(products: SymmetricMatrix, rows: number, outputs: number) {
    this.#products = products;
    this.#rows = rows;
    this.#outputs = outputs;
  }

  async near(penalty: number): Promise<(vector: Float64Array) => Float64Array> {
    const made = this.#made;
    if (made && Math.abs(Math.log10(penalty / made.penalty)) <= 1.1) return made.apply;
    const scale = this.#rows / CURVATURE;
    const factor = await penalised(this.#products, penalty * scale);
    const split = this.#products.size * this.#outputs;
    const apply = (vector: Float64Array) => {
      const solved = new Float64Array(vector.length);
      solved.set(factor.solve(vector.subarray(0, split), this.#outputs).map((value) => value * scale));
      for (let i = split; i < vector.length; i++) solved[i] = vector[i]! / CURVATURE;
      return solved;
    };
    this.#made = { penalty, apply };
    return apply;
  }
}
