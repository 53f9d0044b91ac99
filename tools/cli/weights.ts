/** `weightless weights`: any slice of any random matrix, from the CPU or the GPU. */
import { randomWeights } from '../../kernels/random_weights.ts';
import { adapterName } from '../../src/backend/adapter.ts';
import { readBuffer, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import type { Context } from '../../src/gpu/context.ts';
import { type BufferSlice, runDispatches } from '../../src/gpu/kernel.ts';
import {
  elementwiseNames,
  integerWeights,
  isElementwise,
  type WeightSpec,
  weightScale,
} from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { print } from '../common/output.ts';

type Range = readonly [from: number, to: number];

export interface WeightsOptions extends WeightSpec {
  inputs: Range;
  units: Range;
  /** Inputs of the whole layer, for its scale. */
  fanIn: number;
  json?: boolean;
}

/** Prints integers, one row an input; times the scale they are the weights. Without a context from the CPU. */
export async function weightsCommand(context: Context | undefined, options: WeightsOptions): Promise<void> {
  const { seed, tensor, inputs, units, distribution, fanIn, json } = options;
  const spec = { seed, tensor, distribution };
  const flat = context ? await fromGpu(context, options) : integerWeights(spec, inputs, units, fanIn);
  const columns = units[1] - units[0];
  const values = Array.from({ length: inputs[1] - inputs[0] }, (_, row) => [
    ...flat.subarray(row * columns, (row + 1) * columns),
  ]);
  const scale = weightScale(distribution, fanIn);
  const width = values.flat().reduce((most, value) => Math.max(most, String(value).length + 1), 5);
  print(json, { scale, values }, () =>
    [
      `${distribution} weights, seed ${options.seed}, tensor ${options.tensor}, inputs ${inputs.join(':')}, units ${units.join(':')}, ` +
        `from the ${context ? `GPU: ${adapterName(context.adapter)}` : 'CPU'}`,
      ...values.map((row) => row.map((value) => String(value).padStart(width)).join('')),
      `times scale ${scale} (fan-in ${fanIn})`,
    ].join('\n'),
  );
}

async function fromGpu(
  context: Context,
  { seed, tensor, distribution, inputs, units }: WeightsOptions,
): Promise<Int32Array> {
  if (!isElementwise(distribution)) {
    throw new RangeError(
      `weights --device gpu: expected a distribution of independent weights (${elementwiseNames.join(', ')}), got ${distribution}: ` +
        'the GPU never has its entries. Use --device cpu.',
    );
  }
  const rows = inputs[1] - inputs[0];
  const columns = units[1] - units[0];
  const keys = uploadBuffer(context, unitKeys(seed, tensor, columns, units[0]), 'unit keys');
  const out = storageBuffer(context, 4 * rows * columns, 'weights');
  const args = { kFrom: inputs[0], kCount: rows, nCount: columns, weights: distribution, keys, out };
  await runDispatches(context, [randomWeights<BufferSlice>(args)]);
  return new Int32Array(await readBuffer(context, out, 4 * rows * columns));
}
