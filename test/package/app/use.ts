/** Every entry point by its types. */

import {
  type Context,
  createContext,
  dense,
  halfDense,
  LoadError,
  loadModel,
  type Model,
  type Predictor,
  ShapeError,
  sequential,
} from 'weightless-gpu';
import * as conformance from 'weightless-gpu/conformance';
import * as convolution from 'weightless-gpu/convolution';
import * as exported from 'weightless-gpu/export';
import * as fields from 'weightless-gpu/fields';
import * as jax from 'weightless-gpu/jax';
import * as node from 'weightless-gpu/node';
import * as onnxruntime from 'weightless-gpu/onnxruntime';
import { type Operation, type OperationSpec, prepare, randomMatmul } from 'weightless-gpu/ops';
import * as signals from 'weightless-gpu/signals';
import * as whole from 'weightless-gpu/static';
import * as tfjs from 'weightless-gpu/tfjs';
import { dataSet, type FitProgress, fit } from 'weightless-gpu/train';

export const others = [conformance, convolution, exported, fields, jax, node, onnxruntime, signals, tfjs, whole];

export async function operations(context: Context): Promise<void> {
  const { device } = context;
  const buffer = context.createBuffer(64, 128, 'numbers');
  const weights = { seed: 1n, tensor: 0, distribution: 'orthogonal' } as const;
  // @ts-expect-error: no such distribution
  weights.distribution satisfies 'gaussian';
  await randomMatmul(context, { m: 1, k: 2, n: 3, weights, x: buffer, y: { buffer, offset: 0, size: 12 } });
  const spec: OperationSpec = { op: 'dense', m: 1, k: 2, n: 3 };
  const operation: Operation = await prepare(await createContext({ device }), spec);
  operation.dispose();
  // @ts-expect-error: no such operation
  await prepare(context, { op: 'softmax' });
}

export async function training(): Promise<Float32Array> {
  const context = await createContext({ backend: 'cpu', threads: 1 });
  const model: Model = sequential([halfDense({ units: 8 }), dense({ units: 2 })], { input: [2], seed: 1 });
  const data = dataSet({ features: Float32Array.of(0, 0, 1, 1), shape: [2], labels: [0, 1] });
  const onProgress = ({ done }: FitProgress) => done;
  for await (const { loss } of fit(context, model, data, { epochs: 2, onProgress })) loss.toFixed();
  const predictor: Predictor = await loadModel(context, exported.exportOnnx(model)).catch(async (error: unknown) => {
    if (error instanceof LoadError) console.log(error.status);
    return loadModel(context, (await import('weightless-gpu/train')).saveModel(model));
  });
  return predictor.predict([1, 2]);
}

export async function main(): Promise<void> {
  try {
    dense({ units: -1 });
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
  }
  console.log((await training()).length);
}
