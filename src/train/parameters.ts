/** A model's parameters on the device, beside the optimizer states of its graph. */
import { type Context, guarded } from '../context.ts';
import { elements, type Graph } from '../graph.ts';
import type { Model } from '../model/model.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../tensor.ts';

/** Buffers by the name of their value: parameters as the model holds them, states zero. */
export async function uploadParameters(context: Context, model: Model, graph?: Graph): Promise<Map<string, GPUBuffer>> {
  return guarded(context, 'uploading parameters', () => {
    const buffers = new Map<string, GPUBuffer>();
    for (const [name, values] of model.parameters) buffers.set(name, uploadBuffer(context, values, name));
    for (const value of graph?.values ?? []) {
      if (value.role === 'state') buffers.set(value.name, storageBuffer(context, 4 * elements(value), value.name));
    }
    return buffers;
  });
}

/** Copies the parameters back into the model, all of them or, where reading fails, none. */
export async function downloadParameters(
  context: Context,
  model: Model,
  buffers: ReadonlyMap<string, GPUBuffer>,
): Promise<void> {
  const read = await Promise.all(
    [...model.parameters].map(async ([name, { length }]) => {
      return [name, await readFloats(context, buffers.get(name)!, length)] as const;
    }),
  );
  for (const [name, values] of read) model.parameters.set(name, values);
}
