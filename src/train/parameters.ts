/** A model's parameters on the device, beside the optimizer states of its graph. */

import { ShapeError } from '../core/errors.ts';
import { readFloats, uploadBuffer } from '../gpu/buffers.ts';
import { type Context, guarded } from '../gpu/context.ts';
import type { Graph } from '../graph/graph.ts';
import { elements } from '../graph/value.ts';
import type { Model } from '../model/model.ts';

/** States of a graph as `states` holds them, or zeros where it is left out. Throws `ShapeError` where they do not fit. */
export function startingStates(
  graph: Graph | undefined,
  states?: ReadonlyMap<string, Float32Array>,
): [name: string, numbers: Float32Array<ArrayBuffer>][] {
  const wanted = (graph?.values ?? []).filter(({ role }) => role === 'state');
  return wanted.map((value) => {
    const given = states?.get(value.name);
    if (states && given?.length !== elements(value)) {
      throw new ShapeError(
        `fit: expected ${elements(value)} numbers of '${value.name}' in the state of the training, got ${given?.length ?? 'none'}. ` +
          'Go on with the model and the optimizer that it was kept for.',
      );
    }
    return [value.name, Float32Array.from(given ?? new Float32Array(elements(value)))];
  });
}

/** Buffers by the name of their value: parameters as the model holds them, states as they start. */
export async function uploadParameters(
  context: Context,
  model: Model,
  graph?: Graph,
  states?: ReadonlyMap<string, Float32Array>,
): Promise<Map<string, GPUBuffer>> {
  const starting = startingStates(graph, states);
  return guarded(context, 'uploading parameters', () => {
    const buffers = new Map<string, GPUBuffer>();
    for (const [name, values] of model.parameters) buffers.set(name, uploadBuffer(context, values, name));
    for (const [name, values] of starting) buffers.set(name, uploadBuffer(context, values, name));
    return buffers;
  });
}

/** Copies the parameters back into the model and the states of its graph into `states`: all of them or, where reading fails, none. */
export async function downloadParameters(
  context: Context,
  model: Model,
  buffers: ReadonlyMap<string, GPUBuffer>,
  graph: Graph,
  states?: Map<string, Float32Array<ArrayBuffer>>,
): Promise<void> {
  const read = (name: string, length: number) => readFloats(context, buffers.get(name)!, length);
  const kept = states ? graph.values.filter(({ role }) => role === 'state') : [];
  const [parameters, optimizer] = await Promise.all([
    Promise.all([...model.parameters].map(async ([name, { length }]) => [name, await read(name, length)] as const)),
    Promise.all(kept.map(async (value) => [value.name, await read(value.name, elements(value))] as const)),
  ]);
  for (const [name, values] of parameters) model.parameters.set(name, values);
  for (const [name, values] of optimizer) states!.set(name, values);
}
