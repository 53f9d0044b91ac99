/**
 * The calibrated start of half layers. A badly scaled random product saturates its unit, and a saturated unit does not train (the
 * paper's warning). So each half layer, from the first to the last, takes the products z of up to 1024 rows and starts from
 * u = 1 / std(z), b = -mean(z) / std(z), unit by unit (or channel by channel, over all positions): every unit begins with
 * pre-activations of mean 0 and variance 1 over the data. A unit whose product hardly varies starts from u = 1.
 *
 * In deep stacks this start loses: each layer takes away what the rows have in common and stretches what is left, until
 * neighbours are as far apart as strangers. There u = 1 and b = 0 stay, as weights of variance 1 / fan-in make
 * products about as large as the inputs. Only where the products of a layer have another order of magnitude than 1, as
 * those of unscaled data do, all its units get u = 1 over their root mean square (docs/results.md, "How should half
 * layers start?").
 */

import type { Backend } from '../backend/backend.ts';
import { evaluateOnce } from '../backend/evaluation.ts';
import { product } from '../core/shape.ts';
import { type DataSet, featuresAsFloats, head } from '../data/dataset.ts';
import { boundByName } from '../graph/graph.ts';
import { neededNodes } from '../graph/needed.ts';
import { elements, type Value } from '../graph/value.ts';
import type { Placed } from '../layers/kind.ts';
import { kindOf, layerParameters } from '../layers/kinds.ts';
import { forwardGraph, type Model, placeLayers } from '../model/model.ts';

/** Rows of the sample; fewer where a layer would have more products than the second number for them. */
const SAMPLE_ROWS = 1024;
const MAX_NUMBERS = 2 ** 24;

/** Stacks of more half layers are deep. */
const SHALLOW = 2;

/** Root mean squares of products with which a layer of a deep stack trains well as it is. */
const LEAST_RMS = 0.01;
const LARGEST_RMS = 4;

/** `true`: every half layer, unit by unit. `'auto'`: by depth, and only layers that still have their initial u and b. */
export type Calibration = true | 'auto';

/** Sets u and b of the half layers of the model from the data; it does not use labels. */
export async function calibrate(
  backend: Backend,
  model: Model,
  data: DataSet,
  calibration: Calibration = true,
): Promise<void> {
  const all = placeLayers(model).filter(({ spec }) => kindOf(spec).calibrated);
  const chosen = calibration === 'auto' ? all.filter((placed) => isInitial(model, placed)) : all;
  if (chosen.length === 0) return;
  const start = calibration === 'auto' && all.length > SHALLOW ? inProportion : standardise;
  const indices = new Set(chosen.map(({ index }) => index));
  const isHalf = ({ index }: Placed) => indices.has(index);
  const largest = chosen.reduce((most, { output }) => Math.max(most, product(output)), 1);
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
    const { u, b } = start(computed.get(z)!, elements(z) / units, units);
    model.parameters.set(`layers.${index}.u`, u).set(`layers.${index}.b`, b);
    known = new Map([...known, ...computed].filter(([value]) => readLater.has(value)));
  }
}

function isInitial(model: Model, placed: Placed): boolean {
  const numbers = layerParameters(placed).filter(({ start }) => start !== 'random');
  return numbers.every(({ name, start }) => model.parameters.get(name)!.every((value) => value === start));
}

/** The same u for all units: 1, or 1 over the root mean square of all products where that is out of range. b = 0. */
function inProportion(z: Float32Array, _rows: number, units: number): ReturnType<typeof standardise> {
  let squares = 0;
  for (const value of z) squares += value ** 2 / z.length;
  const rms = Math.sqrt(squares);
  const scale = rms > 1e-6 && (rms < LEAST_RMS || rms > LARGEST_RMS) ? 1 / rms : 1;
  return { u: new Float32Array(units).fill(scale), b: new Float32Array(units) };
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
