/** Operations as recipes: the dispatches of a specification on a device, and the memory between them. */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { halfRows, halfRowWords } from '../../kernels/half_rows.ts';
import { orthogonal, orthogonalShape } from '../../kernels/orthogonal.ts';
import { quantiseRows } from '../../kernels/quantise_rows.ts';
import { randomMatmulF16 } from '../../kernels/random_matmul_f16.ts';
import { MAX_U8_INPUTS } from '../../kernels/random_matmul_u8.ts';
import { randomWeights } from '../../kernels/random_weights.ts';
import type { ActivationName } from '../core/activations.ts';
import { ShaderError, ShapeError } from '../core/errors.ts';
import { MOST_NUMBERS } from '../core/shape.ts';
import { windowCounts } from '../core/window.ts';
import type { Memory } from '../gpu/buffers.ts';
import { chooseBatch } from '../gpu/choose/batch.ts';
import type { Choice } from '../gpu/choose/choose.ts';
import { type ForwardKernelName, orthogonalScratch } from '../gpu/choose/forward-kernels.ts';
import { chooseInteger } from '../gpu/choose/integer.ts';
import { allLowerings } from '../gpu/lower/all.ts';
import type { Operand } from '../gpu/lower/lowering.ts';
import { createPlan, type PlanOptions } from '../gpu/plan.ts';
import { placed, placeInPlan, planMemory } from '../gpu/run.ts';
import { elements, type Value } from '../graph/value.ts';
import { type ElementwiseName, expectMatrix, isElementwise, weightScale } from '../weights/distributions.ts';
import { unitKeys } from '../weights/stream.ts';
import { type OperationGraph, operationGraph } from './graph.ts';
import type { OperationBinding, Place, Recipe } from './operation.ts';
import {
  type Convolution,
  expectSizes,
  expectSpec,
  expectWeights,
  type OperationSpec,
  type RandomMatmulSpec,
  windowOf,
} from './spec.ts';

/** What decides on kernels beside the operation: a context. */
export type Device = { readonly choice: Choice };

/** Options of the operation's plan. */
export const planOptions = (
  spec: OperationSpec,
  { outputs }: Pick<OperationGraph, 'outputs'>,
): PlanOptions & { outputs: readonly Value[] } => ({
  outputs,
  ...('kernel' in spec && spec.kernel && { kernel: spec.kernel as ForwardKernelName }),
});

/** The recipe of an operation on this device. Throws `ShapeError` for what does not fit, `ShaderError` for what the device lacks. */
export function recipeOf(context: Device & { readonly tuner?: unknown }, spec: OperationSpec): Recipe {
  expectSpec(spec);
  if (spec.op === 'materialize') return materialize(spec);
  const made = operationGraph(spec);
  const direct = spec.op === 'randomMatmul' ? directly(context, spec) : undefined;
  if (direct && spec.op === 'randomMatmul') return directRecipe(spec, made, direct);
  const plan = createPlan(made.graph, allLowerings, { ...context.choice, ...planOptions(spec, made) });
  const names = new Map([...made.named].map(([name, value]) => [value, name]));
  const own = planMemory(plan);
  const memory: Memory[] = [...own, ...made.zeros.map((value) => 4 * elements(value))];
  const place = (operand: Operand): Place => {
    const at = placeInPlan(plan, operand);
    if (at !== undefined) return { own: at };
    if (operand.kind !== 'value') throw new ShapeError(`${spec.op}: expected no schedule`);
    const name = names.get(operand.value);
    return name ? { name } : { own: own.length + made.zeros.indexOf(operand.value) };
  };
  const dispatches = plan.dispatches.map((dispatch) => placed(dispatch, place));
  return { what: spec.op, dispatches, memory, bindings: bindingsOf(spec, made.named) };
}

/** Layouts of the values by name. Images keep their layout in memory. */
function bindingsOf(spec: OperationSpec, named: ReadonlyMap<string, Value>): Recipe['bindings'] {
  const floats = (shape: readonly number[], bytes: number) => ({ shape, dtype: 'f32' as const, bytes });
  return Object.fromEntries(
    [...named].map(([name, value]) => {
      const image = 'filters' in spec && value.shape.length === 2;
      return [name, floats(image ? imageShape(spec, name) : value.shape, 4 * elements(value))];
    }),
  );
}

function imageShape(spec: Convolution & { readonly op: string }, name: string): readonly number[] {
  const { rows, height, width, channels, filters } = spec;
  if (name === 'x' || name === 'dx') return [rows, height, width, channels];
  return [rows, ...windowCounts(windowOf(spec.op, spec)), filters];
}

/** Dispatches of a product, given what makes memory for it. */
type Direct = (
  args: { x: Place; y: Place; keys: Place; epilogue?: { u?: Place; b: Place; activation: ActivationName } },
  memory: (content: number) => Place,
) => Dispatch<Place>[];

/** What makes the dispatches where the product is none of the graph's: integer inputs, f16, large batches. Throws for what cannot be. */
function directly(context: Device & { readonly tuner?: unknown }, spec: RandomMatmulSpec): Direct | undefined {
  const { m, k, n, weights, kernel, inputs = 'f32', precision = 'f32', product } = spec;
  const problem = { m, k, n, weights: weights.distribution };
  const sizes = { m, k, n, weights: weights.distribution as ElementwiseName };
  const { software = false, features } = context.choice;
  if (precision === 'f16') {
    if (inputs !== 'f32' || kernel || !isElementwise(problem.weights)) {
      throw new ShapeError(
        `randomMatmul: expected f32 inputs, independent weights and no kernel by name beside f16, got ${inputs}, ${problem.weights}, ${kernel}`,
      );
    }
    if (!features?.has('shader-f16')) {
      throw new ShaderError(
        "randomMatmul: expected a device with 'shader-f16' for f16, got one without. Leave `precision` out, or ask the adapter for the feature.",
      );
    }
  }
  if (product && (precision !== 'f32' || inputs !== 'f32')) {
    throw new ShapeError(`randomMatmul: expected f32 alone beside product, got ${precision}, inputs ${inputs}`);
  }
  if (precision === 'f16') {
    return ({ x, ...args }, memory) => {
      const [h, scales] = [memory(4 * m * halfRowWords(k)), memory(4 * m)];
      return [halfRows({ m, k, x, h, scales }), randomMatmulF16({ ...sizes, ...args, x: h }, scales)];
    };
  }
  if (inputs !== 'f32') {
    if (k > MAX_U8_INPUTS) {
      throw new ShapeError(`randomMatmul: expected at most ${MAX_U8_INPUTS} inputs where they are integers, got ${k}`);
    }
    const chosen = chooseInteger(problem, software, kernel);
    return ({ x, ...args }, memory) => {
      const scratch = chosen.scratchBytes(problem).map(memory);
      if (inputs === 'u8') return chosen.launch({ ...sizes, ...args, x }, scratch);
      const [q, scales] = [memory(4 * m * Math.ceil(k / 4)), memory(4 * m)];
      return [quantiseRows({ m, k, x, q, scales }), ...chosen.launch({ ...sizes, ...args, x: q, scales }, scratch)];
    };
  }
  if (product) return undefined;
  const chosen = chooseBatch(problem, software || Boolean(context.tuner), kernel); // a context that tunes measures the others
  return chosen && ((args) => chosen.launch({ ...sizes, ...args }, []));
}

function directRecipe(spec: RandomMatmulSpec, { named }: OperationGraph, make: Direct): Recipe {
  const { m, k, n, weights, scale, bias, activation = 'identity', inputs } = spec;
  const memory: Memory[] = [unitKeys(weights.seed, weights.tensor, n)];
  const args = {
    x: { name: 'x' },
    y: { name: 'y' },
    keys: { own: 0 },
    ...(bias && { epilogue: { ...(scale && { u: { name: 'scale' } }), b: { name: 'bias' }, activation } }),
  };
  const dispatches = make(args, (bytes) => ({ own: memory.push(bytes) - 1 }));
  const words = Math.ceil(k / 4);
  const bytes: Omit<OperationBinding, 'access'> = { shape: [m, 4 * words], dtype: 'u8', bytes: 4 * m * words };
  const bindings = { ...bindingsOf(spec, named), ...(inputs === 'u8' && { x: bytes }) };
  return { what: spec.op, dispatches, memory, bindings };
}

function materialize(spec: Extract<OperationSpec, { op: 'materialize' }>): Recipe {
  const { op: what, weights, inputs, units, fanIn, dtype = 'f32', transposed = false } = spec;
  expectWeights(what, weights);
  expectSizes(what, { fanIn });
  expectMatrix(weights.distribution, fanIn, units[1]);
  for (const [name, range, most] of [
    ['inputs', inputs, fanIn],
    ['units', units, 2 ** 32],
  ] as const) {
    const [from, to] = range;
    if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from >= 0 && from < to && to <= most)) {
      throw new ShapeError(`${what}: expected ${name} from:to with 0 <= from < to <= ${most}, got ${from}:${to}`);
    }
  }
  const [kCount, nCount] = [inputs[1] - inputs[0], units[1] - units[0]];
  const numbers = kCount * Math.max(nCount, isElementwise(weights.distribution) ? 1 : fanIn);
  if (numbers > MOST_NUMBERS) {
    throw new ShapeError(
      `${what}: expected at most ${MOST_NUMBERS} numbers (4 GiB), got ${numbers}. Ask for a smaller slice.`,
    );
  }
  const out = { name: 'out' };
  const shape = transposed ? [nCount, kCount] : [kCount, nCount];
  const bindings = { out: { shape, dtype, bytes: 4 * kCount * nCount } };
  const { distribution, seed, tensor } = weights;
  if (isElementwise(distribution)) {
    const scale = dtype === 'f32' ? weightScale(distribution, fanIn) : undefined;
    const slice = { kFrom: inputs[0], kCount, nCount, weights: distribution, transposed, ...(scale && { scale }) };
    return {
      what,
      dispatches: [randomWeights<Place>({ ...slice, keys: { own: 0 }, out })],
      memory: [unitKeys(seed, tensor, nCount, units[0])],
      bindings,
    };
  }
  // A row of the matrix is no function of a few words: rows of the identity are multiplied instead.
  const sizes = { m: kCount, k: fanIn, n: nCount };
  const { p, blocks } = orthogonalShape(sizes);
  if (dtype !== 'f32' || transposed || units[0] % p) {
    throw new ShapeError(
      `${what}: expected f32, not transposed, and units from a multiple of ${p} for 'orthogonal', got ${dtype}, ` +
        `${transposed ? 'transposed' : 'not transposed'}, units from ${units[0]}`,
    );
  }
  const identity = new Float32Array(kCount * fanIn);
  for (let row = 0; row < kCount; row++) identity[row * fanIn + inputs[0] + row] = 1;
  const scratch = orthogonalScratch({ ...sizes, weights: distribution });
  return {
    what,
    dispatches: orthogonal<Place>({ ...sizes, x: { own: 0 }, keys: { own: 1 }, y: out }, [{ own: 2 }, { own: 3 }]),
    memory: [identity, unitKeys(seed, tensor, blocks, units[0] / p), ...scratch],
    bindings,
  };
}
