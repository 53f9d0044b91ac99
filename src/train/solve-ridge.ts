/** Ridge regression of an output layer: one pass over the features, the penalty by leave-one-out errors. */
import { Moments } from '../solve/moments.ts';
import { LEFT_OUT, type LinearOutput, ridge, ridgeOfMoments } from '../solve/ridge.ts';
import type { OpenProblem } from './open-problem.ts';
import { ProductPass } from './output-passes.ts';

export async function solveRidge(problem: OpenProblem): Promise<LinearOutput> {
  const { parts, tiles } = problem;
  return tiles.rows <= parts.columns ? ofFewRows(problem) : ofManyRows(problem);
}

/** Fewer rows than features: all features at once, which are no more than a square matrix. */
async function ofFewRows({ parts, tiles, numbersOf }: OpenProblem): Promise<LinearOutput> {
  const { columns, outputs } = parts;
  const features = new Float32Array(tiles.rows * columns);
  const targets = new Float32Array(tiles.rows * outputs);
  let first = 0;
  for await (const tile of tiles.tiles()) {
    features.set(tile.features, first * columns);
    targets.set(numbersOf(tile.rows), first * outputs);
    first += tile.rows.length;
  }
  return ridge({ rows: tiles.rows, features, targets });
}

/** Adds tiles up to `rows` rows to their moments. */
export async function momentsOf(
  { backend, parts, tiles, numbersOf }: OpenProblem,
  rows = tiles.rows,
  onTile?: (features: Float32Array, targets: Float32Array) => void,
): Promise<Moments> {
  const { columns, outputs } = parts;
  const moments = await Moments.zeros(columns, outputs);
  const pass = new ProductPass(backend, columns, 1 + outputs);
  try {
    for await (const tile of tiles.tiles(rows)) {
      const targets = numbersOf(tile.rows);
      const extended = new Float32Array(tile.rows.length * (1 + outputs));
      for (let row = 0; row < tile.rows.length; row++) {
        extended[row * (1 + outputs)] = 1;
        extended.set(targets.subarray(row * outputs, (row + 1) * outputs), row * (1 + outputs) + 1);
      }
      const { gram, cross } = await pass.run(tile.rows.length, tile.features, extended);
      moments.add(tile.rows.length, gram, cross, targets);
      onTile?.(tile.features, targets);
    }
  } finally {
    pass.dispose();
  }
  return moments;
}

async function ofManyRows(problem: OpenProblem): Promise<LinearOutput> {
  const { columns, outputs } = problem.parts;
  // The rows come in random order, so the first ones are a fair sample.
  const sample = { rows: 0, features: [] as number[][], targets: [] as number[][] };
  const moments = await momentsOf(problem, problem.tiles.rows, (features, targets) => {
    for (let row = 0; row * columns < features.length && sample.rows < LEFT_OUT; row++, sample.rows++) {
      sample.features.push(Array.from(features.subarray(row * columns, (row + 1) * columns)));
      sample.targets.push(Array.from(targets.subarray(row * outputs, (row + 1) * outputs)));
    }
  });
  return ridgeOfMoments(moments, {
    rows: sample.rows,
    features: Float32Array.from(sample.features.flat()),
    targets: Float32Array.from(sample.targets.flat()),
  });
}
