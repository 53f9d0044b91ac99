/**
 * Minimises a smooth convex function by L-BFGS (Liu and Nocedal, 1989), preconditioned: where the preconditioner is
 * close to the inverse of the curvature, a few evaluations are enough, and there is no learning rate.
 */

export interface Evaluated {
  readonly value: number;
  readonly gradient: Float64Array;
}

export interface Iterate {
  readonly parameters: Float64Array<ArrayBuffer>;
  readonly value: number;
  /** By how much the last step lowered the value. */
  readonly decrease: number;
}

/** Steps that it remembers. */
const MEMORY = 10;
/** A step that does not lower the value enough is halved, at most so often. */
const HALVINGS = 10;
/** Share of the decrease that the gradient promises, which a step has to reach (Armijo). */
const ENOUGH = 1e-4;

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/** to += factor * from. */
const addTo = (to: Float64Array, factor: number, from: Float64Array): void => {
  for (let i = 0; i < to.length; i++) to[i]! += factor * from[i]!;
};

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly curvature: number;
}

/**
 * Yields each step's parameters; the caller decides when to stop. It ends by itself where no step lowers the value any
 * more. `precondition` returns about the inverse of the curvature times a vector.
 */
export async function* minimise(
  evaluate: (parameters: Float64Array<ArrayBuffer>) => Promise<Evaluated>,
  start: Float64Array,
  precondition: (vector: Float64Array) => Float64Array,
): AsyncGenerator<Iterate, void, void> {
  let parameters = Float64Array.from(start);
  let { value, gradient } = await evaluate(parameters);
  let pairs: Pair[] = [];
  for (;;) {
    const direction = directionOf(gradient, pairs, precondition);
    const slope = dot(gradient, direction);
    let moved: Float64Array<ArrayBuffer> | undefined;
    let next: Evaluated | undefined;
    for (let halved = 0, size = 1; halved <= HALVINGS; halved++, size /= 2) {
      moved = Float64Array.from(parameters, (parameter, i) => parameter - size * direction[i]!);
      next = await evaluate(moved);
      if (next.value <= value - ENOUGH * size * slope) break;
      next = undefined;
    }
    if (!next || !moved) return;
    const step = moved.map((parameter, i) => parameter - parameters[i]!);
    const change = next.gradient.map((one, i) => one - gradient[i]!);
    const curvature = dot(step, change);
    if (curvature > 0) pairs = [...pairs, { step, change, curvature }].slice(-MEMORY);
    const decrease = value - next.value;
    [parameters, value, gradient] = [moved, next.value, next.gradient];
    yield { parameters, value, decrease };
  }
}

/** The two loops over the remembered steps, with the preconditioner between them. */
function directionOf(
  gradient: Float64Array,
  pairs: readonly Pair[],
  precondition: (vector: Float64Array) => Float64Array,
): Float64Array {
  const rest = Float64Array.from(gradient);
  const weights = pairs
    .slice()
    .reverse()
    .map(({ step, change, curvature }) => {
      const weight = dot(step, rest) / curvature;
      addTo(rest, -weight, change);
      return weight;
    })
    .reverse();
  const direction = precondition(rest);
  const last = pairs.at(-1);
  if (last) {
    const scale = last.curvature / dot(last.change, precondition(last.change));
    for (let i = 0; i < direction.length; i++) direction[i]! *= scale;
  }
  pairs.forEach(({ step, change, curvature }, i) => {
    addTo(direction, weights[i]! - dot(change, direction) / curvature, step);
  });
  return direction;
}
