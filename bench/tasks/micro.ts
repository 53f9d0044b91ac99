/** Micro benchmarks of the adapter and of single kernels: ceilings, words per second, launches, compilation. */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { matmul } from '../../kernels/matmul.ts';
import { randomMatmulTransposed } from '../../kernels/random_matmul_transposed.ts';
import { storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { type ForwardKernel, forwardKernels } from '../../src/gpu/choose/forward-kernels.ts';
import type { Context } from '../../src/gpu/context.ts';
import { type BufferSlice, Recording } from '../../src/gpu/kernel.ts';
import { type DistributionName, distributionNames, elementwiseNames } from '../../src/weights/distributions.ts';
import { unitKeys } from '../../src/weights/stream.ts';
import { finished, openContext, ourContext } from '../gpu.ts';
import { measure } from '../measure.ts';
import empty from '../micro/empty.wgsl';
import fma from '../micro/fma.wgsl';
import streamWords from '../micro/stream_words.wgsl';
import { uniform } from '../random.ts';
import { type Ceilings, type Measured, matches } from '../rows.ts';
import { summarise } from '../statistics.ts';

export const MICRO = 'micro';

interface Micro {
  readonly row: Pick<Measured, 'engine' | 'weights' | 'm' | 'k' | 'n' | 'bytes' | 'macs'>;
  /** Number of stream words that a call generates. */
  readonly words?: number;
  /** The dispatches or commands of one call. It passes buffers that it creates to `own`. */
  readonly call: (context: Context, own: Own) => Dispatch<BufferSlice> | Dispatch<BufferSlice>[] | (() => void);
}

type Own = (buffer: GPUBuffer) => GPUBuffer;

const COPY = 'buffer copy';
const FMA = 'independent FMAs';
const COPY_BYTES = 64 * 2 ** 20;
const FMA_INVOCATIONS = 65_536;
const FMAS_A_TURN = 32;

const copy: Micro = {
  row: { engine: COPY, weights: '64 MiB', bytes: 2 * COPY_BYTES },
  call(context, own) {
    const { device } = context;
    const from = own(uploadBuffer(context, uniform(COPY_BYTES / 4, 1, [-1, 1]), 'copy from'));
    const to = own(storageBuffer(context, COPY_BYTES, 'copy to'));
    return () => {
      const encoder = device.createCommandEncoder();
      encoder.copyBufferToBuffer(from, 0, to, 0, COPY_BYTES);
      device.queue.submit([encoder.finish()]);
    };
  },
};

/** Enough iterations for some milliseconds; a software adapter is a thousand times slower. */
const fmas = (software: boolean): Micro => {
  const turns = software ? 64 : 8192;
  return {
    row: { engine: FMA, weights: 'f32', macs: FMA_INVOCATIONS * FMAS_A_TURN * turns },
    call: (context, own) => ({
      source: fma,
      params: { turns, factor: 0.999, term: 0.001 },
      buffers: { out: own(storageBuffer(context, 4 * FMA_INVOCATIONS, 'fma out')) },
      grid: [FMA_INVOCATIONS / 64, 1, 1],
    }),
  };
};

const words = (software: boolean): Micro => {
  const [units, count] = [16_384, software ? 256 : 16_384];
  return {
    row: { engine: 'stream words', weights: 'u32' },
    words: units * count,
    call: (context, own) => ({
      source: streamWords,
      params: { count },
      buffers: {
        keys: own(uploadBuffer(context, unitKeys(7, 0, units), 'keys')),
        out: own(storageBuffer(context, 4 * units, 'words out')),
      },
      grid: [units / 64, 1, 1],
    }),
  };
};

const launch: Micro = {
  row: { engine: 'empty dispatch', weights: 'one submit' },
  call: () => ({ source: empty, params: {}, buffers: {}, grid: [1, 1, 1] }),
};

const [M, K, N] = [64, 1024, 1024];

interface Buffers {
  readonly x: GPUBuffer;
  readonly keys: GPUBuffer;
  readonly y: GPUBuffer;
  readonly w: GPUBuffer;
  readonly scratch: readonly GPUBuffer[];
}

/** A single kernel without epilogue. `scratch`: sizes in bytes of its scratch buffers. */
function kernel(
  name: string,
  weights: DistributionName | 'f32',
  [m, k, n]: readonly [number, number, number],
  dispatch: (b: Buffers) => Dispatch<BufferSlice> | Dispatch<BufferSlice>[],
  scratch: readonly number[] = [],
): Micro {
  return {
    row: { engine: name, weights, m, k, n, macs: m * k * n },
    call: (context, own) =>
      dispatch({
        x: own(uploadBuffer(context, uniform(m * Math.max(k, n), 1, [-1, 1]), 'x')),
        keys: own(uploadBuffer(context, unitKeys(7, 0, n), 'keys')),
        y: own(storageBuffer(context, 4 * m * Math.max(k, n), 'y')),
        w: own(uploadBuffer(context, uniform(weights === 'f32' ? k * n : 4, 2, [-1, 1]), 'w')),
        scratch: scratch.map((bytes) => own(storageBuffer(context, bytes, 'scratch'))),
      }),
  };
}

/** Every forward kernel, by the name that forces it, then the others. */
const kernels = (distributions: readonly DistributionName[]): Micro[] => [
  ...Object.entries<ForwardKernel>(forwardKernels).flatMap(([name, { weights, launch, scratchBytes }]) =>
    weights
      .filter((name) => distributions.includes(name))
      .map((distribution) => {
        const m = name.startsWith('tile') || name === 'orthogonal' ? M : 1;
        const problem = { m, k: K, n: N, weights: distribution };
        const all = ({ x, keys, y, scratch }: Buffers) => launch<BufferSlice>({ ...problem, x, keys, y }, scratch);
        return kernel(name, distribution, [m, K, N], all, scratchBytes(problem));
      }),
  ),
  ...elementwiseNames
    .filter((name) => distributions.includes(name))
    .map((weights) =>
      kernel('random_matmul_transposed', weights, [M, K, N], ({ x, keys, y }) =>
        randomMatmulTransposed({ m: M, k: K, n: N, weights, dz: x, keys, dx: y }),
      ),
    ),
  kernel('matmul', 'f32', [M, K, N], ({ x, w, y }) => matmul({ m: M, k: K, n: N, a: x, b: w, c: y })),
];

/** Milliseconds until a kernel is ready on a new device with empty caches. */
async function compileTimes(quick: boolean, filter: string | undefined): Promise<Measured[]> {
  const rows: Measured[] = [];
  const runs = quick ? 1 : 3;
  for (const micro of [launch, ...kernels(quick ? ['normal'] : ['normal', 'binary', 'orthogonal'])]) {
    const row = { task: MICRO, engine: `compile ${micro.row.engine}`, weights: micro.row.weights, peer: false };
    if (!matches(filter, row)) continue;
    const samples: number[] = [];
    for (let i = 0; i < runs; i++) {
      const context = await openContext();
      const buffers: GPUBuffer[] = [];
      const call = micro.call(context, (buffer) => {
        buffers.push(buffer);
        return buffer;
      });
      await finished(context);
      const started = performance.now();
      if (typeof call === 'object') await Recording.create(context, [call].flat());
      samples.push(performance.now() - started);
      context.destroyBuffers(buffers);
      context.device.destroy();
    }
    rows.push({ ...row, samples, calls: 1 });
  }
  return rows;
}

export interface MicroResult {
  readonly rows: readonly Measured[];
  readonly ceilings: Ceilings;
}

export interface MicroOptions {
  /** Number of samples each. */
  readonly runs: number;
  readonly filter?: string;
  /** Measures only two distributions, each compiled once. */
  readonly quick: boolean;
  /** Measures only the ceilings. */
  readonly ceilingsOnly: boolean;
}

/** Always measures the ceilings, and the others if they match the filter. */
export async function runMicro({ runs, filter, quick, ceilingsOnly }: MicroOptions): Promise<MicroResult> {
  const context = await ourContext();
  const { software } = context.adapter;
  const ceilings = [copy, fmas(software)];
  const others = ceilingsOnly
    ? []
    : [words(software), launch, ...kernels(quick ? ['normal', 'binary'] : distributionNames)];
  const rest = others.filter(({ row }) => matches(filter, { task: MICRO, ...row }));
  const buffers: GPUBuffer[] = [];
  const prepared = [];
  for (const micro of [...ceilings, ...rest]) {
    const call = micro.call(context, (buffer) => {
      buffers.push(buffer);
      return buffer;
    });
    const recording = typeof call === 'object' ? await Recording.create(context, [call].flat()) : undefined;
    prepared.push({
      micro,
      run: () => (typeof call === 'function' ? call() : recording!.submit()),
      sync: () => finished(context),
      dispose: () => recording?.dispose(),
    });
  }
  const measured = await measure(prepared, { runs });
  const rows = prepared.map(({ micro: { row, words } }, i): Measured => {
    const { ms, calls } = measured[i]!;
    const best = summarise(ms).min;
    return {
      task: MICRO,
      ...row,
      peer: false,
      samples: ms,
      calls,
      ...(words && { value: words / best / 1e6, unit: '10^9 words/s' }),
    };
  });
  for (const { dispose } of prepared) dispose();
  context.destroyBuffers(buffers);
  const compiled = ceilingsOnly ? [] : await compileTimes(quick, filter);
  const fastest = (row: Measured) => summarise(row.samples!).min;
  return {
    rows: [...rows.filter((row) => matches(filter, row)), ...compiled],
    ceilings: {
      gbps: rows[0]!.bytes! / fastest(rows[0]!) / 1e6,
      gmacs: rows[1]!.macs! / fastest(rows[1]!) / 1e6,
    },
  };
}
