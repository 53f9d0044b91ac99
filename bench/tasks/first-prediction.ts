/** Time from navigation to the first prediction of 784-1024-10, and the files that the minimal pages load for it. */
import { elements } from '../../src/graph/value.ts';
import { dense, halfDense } from '../../src/layers/dense.ts';
import { forwardGraph, sequential } from '../../src/model/model.ts';
import { saveModel } from '../../src/model/save.ts';
import { evaluateGraph } from '../../src/reference/graph.ts';
import { randomMatrix } from '../../src/reference/random_matmul.ts';
import { denseModel } from '../engines/onnx-model.ts';
import { uniform } from '../random.ts';
import type { Measured } from '../rows.ts';
import type { Tolerance } from '../verify.ts';

/** Over a slow network: compressed files, 1.6 Mbit/s, 150 ms per round trip (emulated by Chrome). */
export const FIRST = 'first-prediction';
export const SLOW_NETWORK = { download: 1.6e6 / 8, upload: 1.6e6 / 8, latency: 150 };
/** From the local machine: the cost of the page itself. */
export const FIRST_LOCAL = 'first-prediction-local';

const [INPUTS, UNITS, CLASSES] = [784, 1024, 10] as const;
const SEED = 7;

interface FirstPage {
  readonly engine: string;
  readonly peer: boolean;
  readonly weights: string;
  /** The page's script in bench/first/. */
  readonly entry: string;
}

export const firstPages: readonly FirstPage[] = [
  { engine: 'weightless', peer: false, weights: 'normal', entry: 'weightless' },
  { engine: 'jax-js', peer: true, weights: 'f32', entry: 'jax' },
  { engine: 'tfjs-webgpu', peer: true, weights: 'f32', entry: 'tfjs' },
  { engine: 'onnx-webgpu', peer: true, weights: 'f32', entry: 'onnx-webgpu' },
  { engine: 'onnx-wasm', peer: false, weights: 'f32', entry: 'onnx-wasm' },
];

export const firstRow = (task: string, { engine, peer, weights }: FirstPage): Measured => ({
  task,
  engine,
  peer,
  weights,
  m: 1,
  k: INPUTS,
  n: UNITS,
});

export const firstTolerance: Tolerance = {
  absolute: 1e-4,
  relative: 1e-4,
  reason: 'two f32 sums of 784 and 1024 products in any order',
};

/** The same network in the file format of each page, its input, and the expected scores. */
export function firstFiles(): { files: Map<string, Uint8Array>; scores: Float64Array } {
  const layers = [halfDense({ units: UNITS, weights: 'normal', activation: 'relu' }), dense({ units: CLASSES })];
  const model = sequential(layers, { input: [INPUTS], seed: SEED });
  model.parameters.set('layers.0.u', uniform(UNITS, 2, [0.5, 1.5]));
  model.parameters.set('layers.0.b', uniform(UNITS, 3, [-0.5, 0.5]));
  model.parameters.set('layers.1.b', uniform(CLASSES, 4, [-0.5, 0.5]));
  const pixels = uniform(INPUTS, 5, [0, 1]);
  const { graph, x, output } = forwardGraph(model, 1);
  const values = new Map([[x, Float64Array.from(pixels)]]);
  for (const value of graph.values) {
    const numbers = model.parameters.get(value.name);
    if (numbers && numbers.length === elements(value)) values.set(value, Float64Array.from(numbers));
  }
  evaluateGraph(graph, values);
  const of = (name: string) => model.parameters.get(name)!;
  const u = of('layers.0.u');
  const random = randomMatrix({ seed: SEED, tensor: 0, distribution: 'normal' }, INPUTS, UNITS);
  const stored = Float32Array.from(random, (w, i) => w * u[i % UNITS]!);
  const [b0, w1, b1] = [of('layers.0.b'), of('layers.1.weight'), of('layers.1.b')];
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength);
  const onnx = denseModel(1, INPUTS, [
    { weights: stored, bias: b0, relu: true },
    { weights: w1, bias: b1, relu: false },
  ]);
  const files = new Map<string, Uint8Array>([
    ['/first/pixels.bin', bytes(pixels)],
    ['/first/model.safetensors', saveModel(model)],
    ['/first/weights.bin', Buffer.concat([stored, b0, w1, b1].map(bytes))],
    ['/first/model.onnx', onnx],
  ]);
  return { files, scores: values.get(output)! };
}
