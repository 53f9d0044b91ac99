/** Runs kernels over generated cases and holds them to their twins. */
import fc from 'fast-check';
import { expect } from 'vitest';
import type { Context } from '../../src/context.ts';
import type { Dispatch } from '../../src/dispatch.ts';
import { type BufferSlice, runDispatches } from '../../src/kernel.ts';
import { readBuffer, type TypedArray, uploadBuffer } from '../../src/tensor.ts';
import { scheduleBuffer } from '../../src/train/rows.ts';
import { philox4x32 } from '../../src/weights/stream.ts';
import { expectClose, expectSame, type Tolerance } from '../compare.ts';
import { testContext } from '../gpu.ts';

/** A NaN that no kernel computes: outputs are full of it before, and the words behind them must still be after. */
const SENTINEL = 0x7fc0dead;
const GUARD_WORDS = 64;

export interface Output {
  readonly want: ArrayLike<number>;
  /** None: the same, bit for bit (integers). */
  readonly tolerance?: Tolerance;
  /** What it holds before, where the kernel changes it in place. */
  readonly initial?: Float32Array;
  readonly type?: 'f32' | 'i32' | 'u32';
}

export interface Case<Inputs extends string = string, Outputs extends string = string> {
  readonly what: string;
  readonly inputs: Readonly<Record<Inputs, TypedArray>>;
  readonly outputs: Readonly<Record<Outputs, Output>>;
  readonly dispatch: (
    buffers: Record<Inputs | Outputs, BufferSlice>,
  ) => Dispatch<BufferSlice> | readonly Dispatch<BufferSlice>[];
}

/** Runs every case, a few dozen to a submit, and compares. Answers how many there were. */
export async function checkCases(cases: readonly Case[]): Promise<number> {
  const context = await testContext();
  for (let start = 0; start < cases.length; start += 32) await checkTogether(context, cases.slice(start, start + 32));
  return cases.length;
}

async function checkTogether(context: Context, cases: readonly Case[]): Promise<void> {
  const prepared = cases.map((one) => {
    const buffers: Record<string, GPUBuffer> = {};
    for (const [name, data] of Object.entries(one.inputs)) buffers[name] = inputBuffer(context, name, data);
    for (const [name, { want, initial }] of Object.entries(one.outputs)) {
      const words = new Uint32Array(want.length + GUARD_WORDS).fill(SENTINEL);
      if (initial) words.set(new Uint32Array(initial.buffer, initial.byteOffset, initial.length));
      buffers[name] = uploadBuffer(context, words, name);
    }
    return { one, buffers, dispatch: one.dispatch(buffers) };
  });
  await runDispatches(
    context,
    prepared.flatMap(({ dispatch }) => dispatch),
  );
  for (const { one, buffers } of prepared) {
    for (const [name, { want, tolerance, type = 'f32' }] of Object.entries(one.outputs)) {
      const bytes = await readBuffer(context, buffers[name]!, 4 * (want.length + GUARD_WORDS));
      const what = `${one.what}: ${name}`;
      const guard = new Uint32Array(bytes, 4 * want.length);
      expect(
        guard.every((word) => word === SENTINEL),
        `${what}: words behind the output are untouched`,
      ).toBe(true);
      const View = type === 'i32' ? Int32Array : type === 'u32' ? Uint32Array : Float32Array;
      const got = new View(bytes, 0, want.length);
      if (tolerance) expectClose(got, want, tolerance, what);
      else expectSame(got, want, what);
    }
    context.destroyBuffers(Object.values(buffers));
  }
}

/** Uniforms (the schedule) and storage look the same to a case. */
function inputBuffer(context: Context, name: string, data: TypedArray): GPUBuffer {
  if (name !== 'schedule') return uploadBuffer(context, data, name);
  const buffer = scheduleBuffer(context);
  context.device.queue.writeBuffer(buffer, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return buffer;
}

/** Sizes that find edges: one, below and around a tile, primes, past several tiles. */
export const size = (most: number): fc.Arbitrary<number> =>
  fc
    .oneof(
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33, 37, 63, 64, 65, 67, 127, 128, 129, 131),
      fc.integer({ min: 1, max: most }),
    )
    .map((value) => Math.min(value, most));

/** `count` samples of an arbitrary, always the same. */
export const samples = <T>(arbitrary: fc.Arbitrary<T>, count: number, seed = 1): T[] =>
  fc.sample(arbitrary, { numRuns: count, seed });

/** Deterministic numbers, uniform from -amplitude to amplitude. */
export function numbers(length: number, seed: number, amplitude = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => {
    const [word] = philox4x32([i >>> 2, seed, 2, 0], [17, 0]).slice(i & 3);
    return amplitude * (word! / 2 ** 31 - 1);
  });
}

/** Rounding of a f32 sum of `terms` products is at most this share of the sum of their sizes (Higham, 2002, section 3.1). */
export const sumError = (terms: number): number => (terms + 4) * 2 ** -24;
