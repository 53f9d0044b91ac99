/**
 * The calibrated start of half layers. A badly scaled random product saturates its unit, and a saturated unit does not train (the
 * paper's warning). So each half layer, from the first to the last, takes the products z of up to 1024 rows and starts from
 * u = 1 / std(z), b = -mean(z) / std(z), unit by unit (or channel by channel, over all positions): every unit begins with
 * pre-activations of mean 0 and variance 1 over the data. A unit whose product hardly varies starts from u = 1.
 */

import type { Backend } from '../backend/backend.ts';
import { evaluateOnce } from '../backend/evaluation.ts';
import { product } from '../core/shape.ts';
import { type DataSet, featuresAsFloats, head } from '../data/dataset.ts';
import { boundByName } from '../graph/graph.ts';
import { neededNodes } from '../graph/needed.ts';
import { elements, type Value } from '../graph/value.ts';
import type { Placed } from '../layers/kind.ts';
import { kindOf } from '../layers/kinds.ts';
import { forwardGraph, type Model, placeLayers } from '../model/model.ts';

/** Rows of the sample; fewer where a layer would have more products than the second number for them. */
const SAMPLE_ROWS = 1024;
const MAX_NUMBERS = 2 ** 24;

/** Sets u and b of every half layer of the model from the data; it does not use labels. */
export async function calibrate(backend: Backend, model: Model, data: DataSet): Promise<void> {
  const isHalf = ({ spec }: Placed) => kindOf(spec).calibrated;
  const largest = placeLayers(model)
    .filter(isHalf)
    .reduce((most, { output }) => Math.max(most, product(output)), 1);
  const sample = head(data, Math.max(1, Math.min(SAMPLE_ROWS, Math.floor(MAX_NUMBERS / largest))));
  const { graph, x, layers } = forwardGraph(model, sample.rows);
  const half = layers.flatMap(({ z, ...layer }) => (z && isHalf(layer) ? [{ z, ...layer }] : []));
  const products = half.map(({ z }) => z);
  let known = new Map<Value, Float32Array>([[x, featuresAsFloats(sample)]]);
  let pending = neededNodes(graph, new Set(), products, false);
  for (const { z, index, output } of half) {
    // From one product to the next, so that each node is computed once: what later nodes read of a segment is handed on to theirs.
    const segment = new Set(neededNodes(graph, new Set(known.keys()), [z], false));
    pending = pending.filter((node) => !segment.has(node));
    const readLater = new Set(pending.flatMap((node) => node.reads));
    const outputs = new Set([z, ...[...segment].flatMap((node) => node.makes.filter((value) => readLater.has(value)))]);
    const given = new Map([...known, ...boundByName(graph, model.parameters)]);
    const computed = await evaluateOnce(backend, graph, given, [...outputs]);
    const units = output.at(-1)!; // or channels, of every position
    const { u, b } = standardise(computed.get(z)!, elements(z) / units, units);
    model.parameters.set(`layers.${index}.u`, u).set(`layers.${index}.b`, b);
    known = new Map([...known, ...computed].filter(([value]) => readLater.has(value)));
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
