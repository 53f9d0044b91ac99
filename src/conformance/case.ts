/** A kernel with given inputs, compared with its twin. */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { readBuffer, type TypedArray, uploadBuffer } from '../gpu/buffers.ts';
import type { Context } from '../gpu/context.ts';
import { type BufferSlice, runDispatches } from '../gpu/kernel.ts';
import { scheduleBuffer } from '../gpu/rows.ts';
import type { Family, OpsOf } from '../graph/ops.ts';
import { philox4x32 } from '../weights/stream.ts';
import { differs, differsBy, type Tolerance } from './compare.ts';

/** A NaN that no kernel computes. Outputs are filled with it before a run; the words after them must keep it. */
const SENTINEL = 0x7fc0dead;
const GUARD_WORDS = 64;

export interface Output {
  readonly want: ArrayLike<number>;
  /** If absent, results must be the same bit for bit (integers). */
  readonly tolerance?: Tolerance;
  /** Initial content, if the kernel changes it in place. */
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

/** A group of cases with a common report. */
export interface Group {
  readonly name: string;
  /** Required device features. A device without them is skipped, not wrong. */
  readonly feature?: GPUFeatureName;
  cases(): Case[];
}

/** For every operation of a family, the groups that compare its kernels with its twin. */
export type Covered<F extends Family> = { readonly [O in OpsOf<F>]: readonly Group[] };

export interface Outcome {
  /** Number of cases that differ or did not run. */
  readonly failed: number;
  /** The differences, one line each; empty if there are none. */
  readonly wrong: readonly string[];
  /** The device's results for the exact outputs, in order. */
  readonly exact: readonly ArrayBuffer[];
  /** Names of the kernels that ran. */
  readonly kernels: readonly string[];
}

/** Runs the cases in one submit and compares the results. */
export async function runCases(context: Context, cases: readonly Case[]): Promise<Outcome> {
  const wrong: string[] = [];
  const exact: ArrayBuffer[] = [];
  let failed = 0;
  const prepared = cases.map((one) => {
    const buffers: Record<string, GPUBuffer> = {};
    for (const [name, data] of Object.entries(one.inputs)) buffers[name] = inputBuffer(context, name, data);
    for (const [name, { want, initial }] of Object.entries(one.outputs)) {
      const words = new Uint32Array(want.length + GUARD_WORDS).fill(SENTINEL);
      if (initial) words.set(new Uint32Array(initial.buffer, initial.byteOffset, initial.length));
      buffers[name] = uploadBuffer(context, words, name);
    }
    return { one, buffers, dispatches: [one.dispatch(buffers)].flat() };
  });
  const dispatches = prepared.flatMap(({ dispatches }) => dispatches);
  try {
    await runDispatches(context, dispatches);
    // All reads in parallel: wgpu polls mappings every 10 ms in Deno, every 100 ms in Firefox.
    const read = await Promise.all(
      prepared.map(({ one, buffers }) =>
        Promise.all(
          Object.entries(one.outputs).map(async ([name, output]) => {
            const bytes = await readBuffer(context, buffers[name]!, 4 * (output.want.length + GUARD_WORDS));
            return { name, output, bytes };
          }),
        ),
      ),
    );
    for (const [i, { one }] of prepared.entries()) {
      const before = wrong.length;
      for (const { name, output, bytes } of read[i]!) {
        const { want, tolerance, type = 'f32' } = output;
        const guard = new Uint32Array(bytes, 4 * want.length);
        const View = type === 'i32' ? Int32Array : type === 'u32' ? Uint32Array : Float32Array;
        const got = new View(bytes, 0, want.length);
        const difference = guard.every((word) => word === SENTINEL)
          ? tolerance
            ? differsBy(got, want, tolerance)
            : differs(got, want)
          : 'words behind the output were written';
        if (difference) wrong.push(`${one.what}: ${name}: ${difference}`);
        if (!tolerance) exact.push(bytes.slice(0, 4 * want.length));
      }
      if (wrong.length > before) failed++;
    }
  } finally {
    for (const { buffers } of prepared) context.destroyBuffers(Object.values(buffers));
  }
  return { failed, wrong, exact, kernels: [...new Set(dispatches.map(({ source }) => source.name))] };
}

/** Uniforms (the schedule) and storage look the same to a case. */
function inputBuffer(context: Context, name: string, data: TypedArray): GPUBuffer {
  if (name !== 'schedule') return uploadBuffer(context, data, name);
  const buffer = scheduleBuffer(context);
  context.device.queue.writeBuffer(buffer, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  return buffer;
}

/** Deterministic numbers, uniform from -amplitude to amplitude. */
export function numbers(length: number, seed: number, amplitude = 1): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => {
    const [word] = philox4x32([i >>> 2, seed, 2, 0], [17, 0]).slice(i & 3);
    return amplitude * (word! / 2 ** 31 - 1);
  });
}

/** Integers from -amplitude to amplitude. */
export const integers = (length: number, seed: number, amplitude: number): Float32Array<ArrayBuffer> =>
  numbers(length, seed, amplitude).map((value) => Math.round(value) + 0);

/** The same dispatches without the scale of the weights, so that results are sums of integers. */
export const unscaled = (dispatches: readonly Dispatch<BufferSlice>[]): Dispatch<BufferSlice>[] =>
  dispatches.map((one) => ('scale' in one.params ? { ...one, params: { ...one.params, scale: 1 } } : one));

/** Bound on the rounding of an f32 sum of `terms` products, relative to the sum of magnitudes (Higham, 2002, 3.1). */
export const sumError = (terms: number): number => (terms + 4) * 2 ** -24;
