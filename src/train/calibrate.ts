/**
 * The calibrated start of half layers. A badly scaled random product saturates its unit, and what is saturated does not
 * train (the paper's warning). So each half layer, from the first to the last, looks at the products z of up to 1024 rows
 * and starts from u = 1 / std(z), b = -mean(z) / std(z), unit by unit: every unit begins with pre-activations of mean 0
 * and variance 1 over the data. A unit whose product hardly varies keeps u = 1.
 */
import type { Context } from '../context.ts';
import type { CpuContext } from '../cpu/context.ts';
import { type DataSet, featuresAsFloats, head } from '../data/dataset.ts';
import { boundByName, type Value } from '../graph.ts';
import type { BufferSlice } from '../kernel.ts';
import { forwardGraph, type Model } from '../model/model.ts';
import { createPlan } from '../plan.ts';
import { Run } from '../run.ts';
import { readFloats, uploadBuffer } from '../tensor.ts';
import { uploadParameters } from './parameters.ts';

/** Rows looked at. */
const SAMPLE = 1024;

/** Sets u and b of every half layer in the model from the data (labels are not used). */
export async function calibrate(context: Context | CpuContext, model: Model, data: DataSet): Promise<void> {
  const sample = head(data, SAMPLE);
  if (context.backend === 'cpu') return calibrateOnCpu(context, model, sample);
  const { graph, x, layers } = forwardGraph(model, sample.rows);
  const features = uploadBuffer(context, featuresAsFloats(sample), 'calibration rows');
  const parameters = await uploadParameters(context, model);
  try {
    const buffers = new Map<Value, BufferSlice>([[x, features], ...boundByName(graph, parameters)]);
    for (const [i, spec] of model.layers.entries()) {
      if (spec.kind !== 'half') continue;
      const { z } = layers[i]!;
      // Once a layer: not worth measuring.
      const run = await Run.create(context, createPlan(graph, { outputs: [z], ...context.choice }), {
        buffers,
      });
      try {
        run.submit();
        const products = await readFloats(context, run.buffer(z) as GPUBuffer, sample.rows * spec.units);
        const { u, b } = standardise(products, sample.rows, spec.units);
        for (const [name, values] of [['u', u] as const, ['b', b] as const]) {
          model.parameters.set(`layers.${i}.${name}`, values);
          context.device.queue.writeBuffer(parameters.get(`layers.${i}.${name}`)!, 0, values);
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

async function calibrateOnCpu(context: CpuContext, model: Model, sample: DataSet): Promise<void> {
  const { graph, x, layers } = forwardGraph(model, sample.rows);
  const features = featuresAsFloats(sample);
  for (const [i, spec] of model.layers.entries()) {
    if (spec.kind !== 'half') continue;
    const given = new Map<Value, Float32Array>([[x, features], ...boundByName(graph, model.parameters)]);
    const products = await context.evaluate(graph, given, layers[i]!.z);
    const { u, b } = standardise(products, sample.rows, spec.units);
    model.parameters.set(`layers.${i}.u`, u).set(`layers.${i}.b`, b);
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
