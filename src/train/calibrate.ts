/**
 * The calibrated start of half layers. A badly scaled random product saturates its unit, and saturated units do not
 * train, as the paper warns. So each half layer, from the first to the last, starts from u = 1 / std(z), b = -mean(z) /
 * std(z), measured on up to 1024 rows, per unit (or per channel, over all positions). Every unit thus starts with
 * pre-activations of mean 0 and variance 1 over the data. A unit whose product hardly varies keeps u = 1.
 */

import { product } from '../core/shape.ts';
import type { CpuContext } from '../cpu/cpu.ts';
import { type DataSet, featuresAsFloats, head } from '../data/dataset.ts';
import { readFloats, uploadBuffer } from '../gpu/buffers.ts';
import type { Context } from '../gpu/context.ts';
import type { BufferSlice } from '../gpu/kernel.ts';
import { loweringsFor } from '../gpu/lower/families.ts';
import { createPlan } from '../gpu/plan.ts';
import { Run } from '../gpu/run.ts';
import { boundByName } from '../graph/graph.ts';
import { elements, type Value } from '../graph/value.ts';
import type { Placed } from '../layers/kind.ts';
import { kindOf } from '../layers/kinds.ts';
import { forwardGraph, type Model, placeLayers } from '../model/model.ts';
import { uploadParameters } from './parameters.ts';

/** Rows looked at, fewer where so many products of a layer would be more than this many numbers. */
const SAMPLE = 1024;
const MOST_NUMBERS = 2 ** 24;

/** Sets u and b of every half layer in the model from the data (labels are not used). */
export async function calibrate(context: Context | CpuContext, model: Model, data: DataSet): Promise<void> {
  const half = ({ spec }: Placed) => kindOf(spec).calibrated;
  const largest = placeLayers(model)
    .filter(half)
    .reduce((most, { output }) => Math.max(most, product(output)), 1);
  const sample = head(data, Math.max(1, Math.min(SAMPLE, Math.floor(MOST_NUMBERS / largest))));
  const { graph, x, layers } = forwardGraph(model, sample.rows);
  const place = ({ z, index, output }: Placed & { z?: Value | undefined }, products: Float32Array) => {
    const units = output.at(-1)!; // or channels, of every position
    const { u, b } = standardise(products, elements(z!) / units, units);
    model.parameters.set(`layers.${index}.u`, u).set(`layers.${index}.b`, b);
    return { u, b };
  };
  if (context.backend === 'cpu') {
    const features = featuresAsFloats(sample);
    for (const layer of layers) {
      if (!layer.z || !half(layer)) continue;
      const given = new Map<Value, Float32Array>([[x, features], ...boundByName(graph, model.parameters)]);
      place(layer, await context.evaluate(graph, given, layer.z));
    }
    return;
  }
  const lowerings = await loweringsFor(graph.nodes);
  const features = uploadBuffer(context, featuresAsFloats(sample), 'calibration rows');
  const parameters = await uploadParameters(context, model);
  try {
    const buffers = new Map<Value, BufferSlice>([[x, features], ...boundByName(graph, parameters)]);
    for (const layer of layers) {
      const { z, index } = layer;
      if (!z || !half(layer)) continue;
      // Once a layer: not worth measuring.
      const run = await Run.create(context, createPlan(graph, lowerings, { outputs: [z], ...context.choice }), {
        buffers,
      });
      try {
        run.submit();
        const products = await readFloats(context, run.buffer(z) as GPUBuffer, elements(z));
        for (const [name, values] of Object.entries(place(layer, products))) {
          context.device.queue.writeBuffer(parameters.get(`layers.${index}.${name}`)!, 0, values);
        }
      } finally {
        run.dispose();
      }
    }
    await context.settle();
  } finally {
    context.destroyBuffers([features, ...parameters.values()]);
  }
}

/** u = 1 / std, b = -mean / std of each column of (rows, units). */
export function standardise(
  z: Float32Array,
  rows: number,
  units: number,
): { u: Float32Array<ArrayBuffer>; b: Float32Array<ArrayBuffer> } {
  const u = new Float32Array(units);
  const b = new Float32Array(units);
  for (let n = 0; n < units; n++) {
    let mean = 0;
    for (let m = 0; m < rows; m++) mean += z[m * units + n]! / rows;
    let variance = 0;
    for (let m = 0; m < rows; m++) variance += (z[m * units + n]! - mean) ** 2 / rows;
    const scale = variance > 1e-12 ? 1 / Math.sqrt(variance) : 1;
    u[n] = scale;
    b[n] = -mean * scale;
  }
  return { u, b };
}
