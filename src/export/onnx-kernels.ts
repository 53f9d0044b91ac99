/** Random kernels along signals as ONNX operators: a convolution for each dilation and padding, then the pools. */
import type { SignalPool } from '../core/signal-pools.ts';
import type { NodeOf } from '../graph/ops.ts';
import { kernelIntegers, kernelOf } from '../weights/random-kernels.ts';
import type { OnnxGraph } from './onnx-file.ts';

/** What convolves alike. */
interface Bank {
  readonly dilation: number;
  /** Zeros before and after the signal. */
  readonly pads: readonly [number, number];
  readonly positions: number;
  readonly units: number[];
}

type Kernels = Pick<NodeOf<'randomKernels'>, 'weights' | 'units' | 'pools'>;

function banksOf({ weights, units }: Kernels): Bank[] {
  const banks = new Map<string, Bank>();
  for (let unit = 0; unit < units; unit++) {
    const { dilation, left, positions } = kernelOf(weights, unit);
    const right = positions - 1 + (weights.taps - 1) * dilation - left - (weights.length - 1);
    const key = `${dilation} ${left} ${right}`;
    const bank = banks.get(key) ?? { dilation, pads: [left, right], positions, units: [] };
    banks.set(key, bank);
    bank.units.push(unit);
  }
  return [...banks.values()];
}

/** What a pool makes of a bank's results. */
interface Results {
  readonly file: OnnxGraph;
  /** (N, units, positions) without the bias. */
  readonly z: string;
  /** The same with the bias. */
  readonly biased: string;
  /** 1 where z exceeds minus the bias, otherwise 0. */
  readonly positive: string;
  readonly positions: number;
}

/** (N, units) each. */
const poolRules: { readonly [P in SignalPool]: (results: Results) => string } = {
  ppv: ({ file, positive, positions }) =>
    file.node('Div', [along(file, 'ReduceSum', positive), file.floats([positions])]),
  max: ({ file, biased }) => along(file, 'ReduceMax', biased),
  mean({ file, biased, positive }) {
    const count = file.node('Max', [along(file, 'ReduceSum', positive), file.floats([1])]);
    return file.node('Div', [along(file, 'ReduceSum', file.node('Mul', [biased, positive])), count]);
  },
  /** A run that ends at a position is as long as the distance to the last one that is not positive: a running maximum. */
  stretch({ file, positive, positions }) {
    const places = file.floats(Array.from({ length: positions }, (_, i) => i + 1));
    let last = file.node('Mul', [places, file.node('Sub', [file.floats([1]), positive])]);
    for (let step = 1; step < positions; step *= 2) {
      const moved = file.node('Pad', [last, file.integers([0, 0, step, 0, 0, -step])]);
      last = file.node('Max', [last, moved]);
    }
    const runs = file.node('Sub', [places, last]);
    return file.node('Div', [along(file, 'ReduceMax', runs), file.floats([positions])]);
  },
};

const along = (file: OnnxGraph, op: string, value: string) =>
  file.node(op, [value, file.integers([2])], { keepdims: 0 });

/** (N, pools times units) of x (N, length times channels) and the parameter `biases` (units). */
export function storedKernels(file: OnnxGraph, x: string, biases: string, kernels: Kernels): string {
  const { weights, pools } = kernels;
  const { length, channels } = weights;
  const signals = file.node('Transpose', [file.reshape(x, [-1, length, channels])], { perm: [0, 2, 1] });
  const banks = banksOf(kernels);
  const parts = banks.map((bank) => bankPools(file, signals, biases, bank, kernels));
  const order = banks.flatMap(({ units }) => units);
  const places = file.integers(order.map((_, unit) => order.indexOf(unit)));
  const all = pools.map((_, p) => {
    const made = parts.map((part) => part[p]!);
    return file.node('Gather', [joined(file, made), places], { axis: 1 });
  });
  return joined(file, all);
}

const joined = (file: OnnxGraph, parts: readonly string[]) =>
  parts.length === 1 ? parts[0]! : file.node('Concat', parts, { axis: 1 });

/** Its pools, (N, units) each. The integers are convolved and then scaled, so that exact sums stay exact. */
function bankPools(
  file: OnnxGraph,
  signals: string,
  biases: string,
  { dilation, pads, positions, units }: Bank,
  { weights, pools }: Kernels,
): string[] {
  const { taps, channels } = weights;
  const filters = new Float32Array(units.length * channels * taps);
  const scales = units.map((unit, n) => {
    const kernel = kernelOf(weights, unit);
    const integers = kernelIntegers(weights, unit);
    for (const [i, channel] of kernel.channels.entries()) {
      filters.set(integers.subarray(i * taps, (i + 1) * taps), (n * channels + channel) * taps);
    }
    return kernel.scale;
  });
  const filter = file.constant('float', [units.length, channels, taps], new Uint8Array(filters.buffer));
  const convolved = file.node('Conv', [signals, filter], { kernel_shape: [taps], dilations: [dilation], pads });
  const z = file.node('Mul', [convolved, file.floats(scales, [units.length, 1])]);
  const own = file.node('Gather', [biases, file.integers(units)], { axis: 0 });
  const bias = file.reshape(own, [units.length, 1]);
  const positive = file.cast(file.node('Greater', [z, file.node('Neg', [bias])]), 'float');
  const results: Results = { file, z, biased: file.node('Add', [z, bias]), positive, positions };
  return pools.map((pool) => poolRules[pool](results));
}
