/** `weightless-gpu/ops`: operations on raw buffers of the caller's, on the caller's device. */
import codeSums from '../kernels/code_sums.wgsl';
import codeSumsRows from '../kernels/code_sums_rows.wgsl';
import epilogue from '../kernels/epilogue.wgsl';
import matmul from '../kernels/matmul.wgsl';
import orthogonalPass from '../kernels/orthogonal_pass.wgsl';
import randomProduct from '../kernels/random_matmul.wgsl';
import randomMatmulSignSums from '../kernels/random_matmul_sign_sums.wgsl';
import randomMatmulSignSumsRows from '../kernels/random_matmul_sign_sums_rows.wgsl';
import randomMatmulSplit from '../kernels/random_matmul_split.wgsl';
import randomMatmulWide from '../kernels/random_matmul_wide.wgsl';
import signSums from '../kernels/sign_sums.wgsl';
import signSumsRows from '../kernels/sign_sums_rows.wgsl';
import sumParts from '../kernels/sum_parts.wgsl';
import codeword from '../shaders/codeword.wgsl';
import sparse from '../shaders/sparse.wgsl';
import uniform from '../shaders/uniform.wgsl';
import type { ActivationName } from './core/activations.ts';
import { provideSource } from './core/kernel-source.ts';
import { expectOptions } from './core/options.ts';
import type { Context } from './gpu/context.ts';
import { guarded } from './gpu/device.ts';
import type { BufferSlice } from './gpu/kernel.ts';
import { operationGraph } from './ops/graph.ts';
import { Operation } from './ops/operation.ts';
import { planOptions, recipeOf } from './ops/recipe.ts';
import { expectSpec, type OperationSpec, type RandomMatmulSpec } from './ops/spec.ts';

export type { ActivationName } from './core/activations.ts';
export * from './core/errors.ts';
export type { Context } from './gpu/context.ts';
export type { BufferSlice } from './gpu/kernel.ts';
export type { TuneMemory } from './gpu/tuner.ts';
export { type ContextOptions, createContext } from './open.ts';
export type { EncodeTarget, Operation, OperationBinding } from './ops/operation.ts';
export type { Convolution, Epilogue, OperationSpec, RandomMatmulSpec, RandomProduct, Vera } from './ops/spec.ts';
export { decodeTable } from './weights/decode-table.ts';
export { type DistributionName, elementwiseNames, type WeightSpec, weightScale } from './weights/distributions.ts';
export { type Seed, unitKeys, WORD_MULTIPLIER, WORD_WEYL } from './weights/stream.ts';

// `prepareNow` cannot wait for them.
for (const source of [
  ...[epilogue, matmul, orthogonalPass, randomProduct, randomMatmulSplit, randomMatmulWide, sumParts],
  ...[randomMatmulSignSums, randomMatmulSignSumsRows, signSums, signSumsRows, codeword],
  ...[codeSums, codeSumsRows, sparse, uniform],
]) {
  provideSource(source);
}

/**
 * An operation ready to be encoded: pipelines compiled (and cached for the device), its own memory allocated, nothing submitted.
 * Throws `ShapeError` for a specification that does not fit, `ShaderError` where the device lacks a feature.
 */
export async function prepare(context: Context, spec: OperationSpec): Promise<Operation> {
  expectSpec(spec);
  if (context.tuner && spec.op !== 'materialize') {
    const made = operationGraph(spec);
    await context.tuner.measure(context, made.graph, planOptions(spec, made));
  }
  return Operation.prepare(context, recipeOf(context, spec));
}

/**
 * The same without waiting, for callers that cannot wait: kernels that are not compiled yet block while they compile (0.1 s and more
 * each), nothing is measured, and WebGPU reports an error only by the device's `uncapturederror` event.
 */
export const prepareNow = (context: Context, spec: OperationSpec): Operation =>
  Operation.now(context, recipeOf(context, spec));

export interface RandomMatmulOptions extends Omit<RandomMatmulSpec, 'op' | 'scale' | 'bias' | 'product'> {
  /** (m, k) row-major, read: f32, or bytes, each row padded with zeros to a multiple of 4. */
  x: BufferSlice;
  /** (m, n) f32 row-major, written. Both must have usage STORAGE. */
  y: BufferSlice;
  /** (n) f32 each. With them y = g(scale * z + bias), without them y = z. */
  scale?: BufferSlice;
  bias?: BufferSlice;
  activation?: ActivationName;
}

/**
 * y = g(scale * (r . x) + bias) with the (n, k) random matrix r regenerated inside the product. Prepares and submits it; resolves when
 * the device is done. Throws `ShapeError` for sizes that do not fit.
 */
export async function randomMatmul(context: Context, options: RandomMatmulOptions): Promise<void> {
  const { x, y, scale, bias, ...product } = options ?? {};
  const buffers = { ...{ x, y }, ...(scale && { scale }), ...(bias && { bias }) };
  expectOptions('randomMatmul', { x, y, scale, bias }, { x: 'object', y: 'object', scale: 'object', bias: 'object' });
  const spec = { ...product, op: 'randomMatmul', scale: Boolean(scale), bias: Boolean(bias) } as const;
  const operation = await prepare(context, spec);
  try {
    await guarded(context, 'multiplying', () => {
      const encoder = context.device.createCommandEncoder();
      operation.encode(encoder, buffers);
      context.device.queue.submit([encoder.finish()]);
    });
    await context.settle();
  } finally {
    operation.dispose();
  }
}
