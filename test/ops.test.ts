/** `weightless-gpu/ops`: every operation on a device, buffers and an encoder of another library's, against plain loops in float64. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GpuValidationError, OptionError, OutOfMemoryError, ShaderError, ShapeError } from '../src/core/errors.ts';
import { sourceAtHand } from '../src/core/kernel-source.ts';
import { nodeGpu } from '../src/node.ts';
import {
  type BufferSlice,
  type Context,
  createContext,
  type OperationSpec,
  prepare,
  prepareNow,
  randomMatmul,
} from '../src/ops.ts';
import { integerWeights, type WeightSpec, weightScale } from '../src/weights/distributions.ts';
import { expectClose, expectSame } from './compare.ts';
import { numbers } from './kernels/harness.ts';

let device: GPUDevice;
let context: Context;
const uncaught: string[] = [];

beforeAll(async () => {
  const adapter = await (await nodeGpu()).requestAdapter();
  device = await adapter!.requestDevice(); // no features, default limits
  device.addEventListener('uncapturederror', (event) =>
    uncaught.push((event as GPUUncapturedErrorEvent).error.message),
  );
  context = await createContext({ device });
});
afterAll(() => {
  device.destroy();
  if (uncaught.length) throw new Error(`the device reported:\n${uncaught.join('\n')}`);
});

const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = {
  STORAGE: 0x80,
  COPY_DST: 0x8,
  COPY_SRC: 0x4,
  MAP_READ: 0x1,
};
const ALIGN = 256;

const bufferOf = (size: number, usage = STORAGE | COPY_DST | COPY_SRC) => device.createBuffer({ size, usage });

/** What the caller's buffers hold once the encoder is submitted: nothing of ours is in the way. */
async function submitAndRead(
  encoder: GPUCommandEncoder,
  slices: Record<string, { buffer: GPUBuffer; offset: number; size: number }>,
) {
  const read = bufferOf(
    Object.values(slices).reduce((sum, { size }) => sum + size, 0),
    COPY_DST | MAP_READ,
  );
  let at = 0;
  for (const { buffer, offset, size } of Object.values(slices)) {
    encoder.copyBufferToBuffer(buffer, offset, read, at, size);
    at += size;
  }
  device.queue.submit([encoder.finish()]);
  await read.mapAsync(1);
  const bytes = read.getMappedRange().slice(0);
  read.destroy();
  at = 0;
  return Object.fromEntries(
    Object.entries(slices).map(([name, { size }]) => {
      at += size;
      return [name, new Float32Array(bytes, at - size, size / 4)];
    }),
  );
}

const SENTINEL = 0x7fc0dead;

/**
 * Inputs in one large buffer, each at an offset; outputs in buffers of their own, at an offset too, full of NaN. Answers the outputs,
 * after it has seen that nothing was submitted by the operation and nothing written beside them.
 */
async function run(spec: OperationSpec, given: Record<string, Float32Array>): Promise<Record<string, Float32Array>> {
  const before = context.memory.bytes;
  const operation = await prepare(context, spec);
  expect(context.memory.bytes - before).toBe(operation.ownBytes);
  const reads = Object.entries(operation.bindings).filter(([, { access }]) => access === 'read');
  const writes = Object.entries(operation.bindings).filter(([, { access }]) => access === 'write');
  expect(reads.map(([name]) => name).sort()).toEqual(Object.keys(given).sort());
  const places = new Map<string, { buffer: GPUBuffer; offset: number; size: number }>();
  const padded = reads.map(([name, { bytes }]) => ({ name, bytes, room: Math.ceil(bytes / ALIGN) * ALIGN }));
  const all = bufferOf(ALIGN + padded.reduce((sum, { room }) => sum + room, 0));
  const made = [all];
  let offset = ALIGN;
  for (const { name, bytes, room } of padded) {
    expect(given[name]!.byteLength, name).toBe(bytes);
    device.queue.writeBuffer(all, offset, given[name]! as Float32Array<ArrayBuffer>);
    places.set(name, { buffer: all, offset, size: bytes });
    offset += room;
  }
  for (const [name, { bytes }] of writes) {
    const buffer = bufferOf(2 * ALIGN + Math.ceil(bytes / 4) * 4);
    device.queue.writeBuffer(buffer, 0, new Uint32Array(buffer.size / 4).fill(SENTINEL));
    made.push(buffer);
    places.set(name, { buffer, offset: ALIGN, size: bytes });
  }
  const { submit } = device.queue;
  const { createBuffer } = device;
  let calls = 0;
  device.queue.submit = () => {
    calls++;
  };
  device.createBuffer = (descriptor) => {
    calls++;
    return createBuffer.call(device, descriptor);
  };
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  operation.encode(pass, Object.fromEntries(places));
  pass.end();
  device.queue.submit = submit;
  device.createBuffer = createBuffer;
  expect(calls).toBe(0);
  const whole = (name: string) => {
    const { buffer } = places.get(name)!;
    return { buffer, offset: 0, size: buffer.size };
  };
  const read = await submitAndRead(encoder, Object.fromEntries(writes.map(([name]) => [name, whole(name)])));
  operation.dispose();
  for (const buffer of made) buffer.destroy();
  expect(context.memory.bytes).toBe(before);
  return Object.fromEntries(
    writes.map(([name, { bytes }]) => {
      const words = new Uint32Array(read[name]!.buffer, read[name]!.byteOffset, read[name]!.length);
      const outside = [...words.slice(0, ALIGN / 4), ...words.slice((ALIGN + bytes) / 4)];
      expect(outside.every((word) => word === SENTINEL)).toBe(true);
      return [name, read[name]!.slice(ALIGN / 4, (ALIGN + bytes) / 4)];
    }),
  );
}

/** The matrix (k, n) of a weight spec, in float64. */
function matrixOf(weights: WeightSpec, k: number, n: number): number[] {
  const scale = weightScale(weights.distribution, k);
  return Array.from(integerWeights(weights, [0, k], [0, n], k), (value) => value * scale);
}

type Numbers = ArrayLike<number>;

/** (m, k) times (k, n). */
const times = (x: Numbers, w: Numbers, m: number, k: number, n: number): number[] =>
  Array.from({ length: m * n }, (_, i) => {
    let sum = 0;
    for (let l = 0; l < k; l++) sum += x[Math.floor(i / n) * k + l]! * w[l * n + (i % n)]!;
    return sum;
  });
const finish = (z: number[], scale: Numbers, bias: Numbers): number[] =>
  z.map((value, i) => Math.tanh(scale[i % scale.length]! * value + bias[i % bias.length]!));

/** By difference quotients: gradients of dy . y with respect to each of `inputs`. */
function quotients(
  forward: (inputs: Record<string, Float64Array>) => number[],
  inputs: Record<string, Float32Array>,
  dy: Float32Array,
): Record<string, Float64Array> {
  const numbersOf = Object.fromEntries(Object.entries(inputs).map(([name, all]) => [name, Float64Array.from(all)]));
  const value = () => forward(numbersOf).reduce((sum, y, i) => sum + y * dy[i]!, 0);
  const step = 1e-5;
  return Object.fromEntries(
    Object.entries(numbersOf).map(([name, all]) => [
      name,
      all.map((kept, i) => {
        all[i] = kept + step;
        const above = value();
        all[i] = kept - step;
        const below = value();
        all[i] = kept;
        return (above - below) / (2 * step);
      }),
    ]),
  );
}

const TOLERANCE = { absolute: 2e-5, relative: 1e-5, reason: 'f32 sums of up to 35 terms, tanh of WGSL' };

/** y, and the gradients of everything, of an operation and its gradient operation. */
async function check(
  forwardSpec: OperationSpec,
  gradientSpec: OperationSpec & { gradients: readonly string[] },
  inputs: Record<string, Float32Array>,
  forward: (inputs: Record<string, Numbers>) => number[],
): Promise<void> {
  const want = forward(inputs);
  const { y } = await run(forwardSpec, inputs);
  expectClose(y!, want, TOLERANCE, `${forwardSpec.op} y`);
  const dy = numbers(want.length, 77);
  const all = await run(gradientSpec, { ...inputs, dy });
  const gradients = quotients(forward, inputs, dy);
  expect(Object.keys(all).sort()).toEqual(gradientSpec.gradients.map((name) => `d${name}`).sort());
  for (const name of gradientSpec.gradients) expectClose(all[`d${name}`]!, gradients[name]!, TOLERANCE, `d${name}`);
}

const weights = { seed: 2n ** 63n + 5n, tensor: 4, distribution: 'binary' } as const;

describe('operations', () => {
  const [m, k, n] = [5, 35, 21];
  const product = { m, k, n, weights } as const;
  const half = { scale: true, bias: true, activation: 'tanh' } as const;
  const [x, scale, bias] = [numbers(m * k, 1), numbers(n, 2), numbers(n, 3)];

  it('a half layer and its gradients', async () => {
    const r = matrixOf(weights, k, n);
    await check(
      { op: 'randomMatmul', ...product, ...half },
      { op: 'randomMatmulGradient', ...product, ...half, gradients: ['x', 'scale', 'bias'] },
      { x, scale, bias },
      ({ x, scale, bias }) => finish(times(x!, r, m, k, n), scale!, bias!),
    );
  });

  it('the product beside its epilogue, the epilogue alone, and its gradients: what an autodiff keeps', async () => {
    const { y, z } = await run({ op: 'randomMatmul', ...product, ...half, product: true }, { x, scale, bias });
    const want = times(x, matrixOf(weights, k, n), m, k, n);
    expectClose(z!, want, TOLERANCE);
    expectClose(y!, finish(want, scale, bias), TOLERANCE);
    await check(
      { op: 'epilogue', m, n, ...half },
      { op: 'epilogueGradient', m, n, ...half, gradients: ['z', 'scale', 'bias'] },
      { z: z!, scale, bias },
      ({ z, scale, bias }) => finish(Array.from(z!), scale!, bias!),
    );
    const dz = numbers(m * n, 5);
    const { dx } = await run({ op: 'randomMatmulTransposed', ...product }, { dz });
    const transposed = quotients(({ x }) => times(x!, matrixOf(weights, k, n), m, k, n), { x }, dz);
    expectClose(dx!, transposed.x!, TOLERANCE);
  });

  it('names only what a gradient reads: a product that is linear needs no x', async () => {
    const gradient = { op: 'randomMatmulGradient', ...product, gradients: ['x'] } as const;
    const operation = await prepare(context, gradient);
    expect(operation.bindings).toEqual({
      dy: { shape: [m, n], dtype: 'f32', bytes: 4 * m * n, access: 'read' },
      dx: { shape: [m, k], dtype: 'f32', bytes: 4 * m * k, access: 'write' },
    });
    operation.dispose();
  });

  it('a stored layer and its gradients', async () => {
    const [w, tail] = [numbers(k * n, 8), { bias: true, activation: 'tanh' } as const];
    await check(
      { op: 'dense', m, k, n, ...tail },
      { op: 'denseGradient', m, k, n, ...tail, gradients: ['x', 'w', 'bias'] },
      { x, w, bias },
      ({ x, w, bias }) => finish(times(x!, w!, m, k, n), new Float64Array(n).fill(1), bias!),
    );
  });

  it('a half convolution and its gradients', async () => {
    const [rows, height, width, channels, filters] = [2, 5, 6, 3, 4];
    const image = { rows, height, width, channels, filters, kernel: [3, 2], stride: [2, 1], padding: [1, 0] } as const;
    const fanIn = 3 * 2 * channels;
    const r = matrixOf(weights, fanIn, filters);
    const [x, scale, bias] = [numbers(rows * height * width * channels, 1), numbers(filters, 2), numbers(filters, 3)];
    const [down, across] = [3, 5];
    const convolve = (x: Numbers) =>
      Array.from({ length: rows * down * across * filters }, (_, i) => {
        const [f, px, py, row] = [
          i % filters,
          Math.floor(i / filters) % across,
          Math.floor(i / filters / across) % down,
          Math.floor(i / filters / across / down),
        ];
        let sum = 0;
        for (let tap = 0; tap < fanIn; tap++) {
          const [c, kx, ky] = [tap % channels, Math.floor(tap / channels) % 2, Math.floor(tap / channels / 2)];
          const [iy, ix] = [2 * py + ky - 1, px + kx];
          if (iy < 0 || iy >= height) continue;
          sum += x[((row * height + iy) * width + ix) * channels + c]! * r[tap * filters + f]!;
        }
        return sum;
      });
    await check(
      { op: 'halfConv2d', ...image, weights, ...half },
      { op: 'halfConv2dGradient', ...image, weights, ...half, gradients: ['x', 'scale', 'bias'] },
      { x, scale, bias },
      ({ x, scale, bias }) => finish(convolve(x!), scale!, bias!),
    );
    const operation = await prepare(context, { op: 'halfConv2d', ...image, weights, ...half });
    expect(operation.bindings.y).toEqual({
      shape: [rows, down, across, filters],
      dtype: 'f32',
      bytes: 4 * rows * down * across * filters,
      access: 'write',
    });
    operation.dispose();
  });

  it('VeRA and its gradients: y = W x + b * (B (d * (A x)))', async () => {
    const rank = 7;
    const vera = { m, k, n, rank, a: weights, b: { ...weights, tensor: 5 } } as const;
    const [A, B] = [matrixOf(vera.a, k, rank), matrixOf(vera.b, rank, n)];
    const [d, b, base] = [numbers(rank, 11), numbers(n, 12), numbers(m * n, 13)];
    const adapter = ({ x, d, b }: Record<string, Numbers>) =>
      times(
        times(x!, A, m, k, rank).map((value, i) => value * d![i % rank]!),
        B,
        m,
        rank,
        n,
      ).map((value, i) => value * b![i % n]!);
    await check(
      { op: 'vera', ...vera },
      { op: 'veraGradient', ...vera, gradients: ['x', 'd', 'b'] },
      { x, d, b },
      adapter,
    );
    const { y } = await run({ op: 'vera', ...vera, base: true }, { x, d, b, base });
    const want = adapter({ x, d, b }).map((value, i) => value + base[i]!);
    expectClose(y!, want, TOLERANCE);
  });

  it('materialize: any slice of the matrix, bit for bit', async () => {
    const [inputs, units, fanIn] = [[3, 40], [70, 90], 50] as const;
    const integers = integerWeights(weights, inputs, units);
    const [rows, columns] = [37, 20];
    const scaled = Float32Array.from(integers, (value) => Math.fround(value * weightScale('binary', fanIn)));
    const slice = { op: 'materialize', weights, inputs, units, fanIn } as const;
    expectSame((await run(slice, {})).out!, scaled);
    const turned = Float32Array.from(
      { length: rows * columns },
      (_, i) => scaled[(i % rows) * columns + Math.floor(i / rows)]!,
    );
    expectSame((await run({ ...slice, transposed: true }, {})).out!, turned);
    const words = (await run({ ...slice, dtype: 'i32' }, {})).out!;
    expectSame(new Int32Array(words.buffer, words.byteOffset, words.length), Int32Array.from(integers));
  });

  it('orthogonal: forward, transposed and materialized', async () => {
    const orthogonal = { ...weights, distribution: 'orthogonal' } as const;
    const n = 144; // past a block of 128 units
    const r = matrixOf(orthogonal, k, n);
    const wide = { m, k, n, weights: orthogonal } as const;
    const { y } = await run({ op: 'randomMatmul', ...wide }, { x });
    expectClose(y!, times(x, r, m, k, n), TOLERANCE);
    const dz = numbers(m * n, 5);
    const { dx } = await run({ op: 'randomMatmulTransposed', ...wide }, { dz });
    const back = Array.from({ length: k * n }, (_, i) => r[(i % k) * n + Math.floor(i / k)]!);
    expectClose(dx!, times(dz, back, m, n, k), TOLERANCE);
    const slice = { op: 'materialize', weights: orthogonal, inputs: [2, 9], units: [128, 144], fanIn: k } as const;
    const want = Array.from({ length: 7 * 16 }, (_, i) => r[(2 + Math.floor(i / 16)) * n + 128 + (i % 16)]!);
    expectClose((await run(slice, {})).out!, want, TOLERANCE);
  });

  it('bytes, whose sums are exact', async () => {
    const bytes = Uint8Array.from({ length: m * 36 }, (_, i) => (i % 36 < k ? (i * 37) % 256 : 0));
    const words = new Float32Array(bytes.buffer);
    const { y } = await run({ op: 'randomMatmul', ...product, inputs: 'u8' }, { x: words });
    const sums = times(
      Array.from({ length: m * k }, (_, i) => bytes[Math.floor(i / k) * 36 + (i % k)]!),
      Array.from(integerWeights(weights, [0, k], [0, n])),
      m,
      k,
      n,
    );
    expectSame(
      y!,
      Float32Array.from(sums, (sum) => Math.fround(sum * weightScale('binary', k))),
    );
  });
});

describe('in an encoder of the caller', () => {
  const product = { op: 'randomMatmul', m: 4, k: 35, n: 35, weights } as const;

  it('a chain of operations, the same one twice, in one submit; prepared at once or not, with the same bits', async () => {
    const x = numbers(4 * 35, 1);
    const operation = await prepare(context, product);
    const pipelines = context.pipelines.size;
    const other = prepareNow(context, { ...product, m: 3, n: 20 });
    const same = prepareNow(context, product);
    expect(context.pipelines.size).toBe(pipelines);
    const buffers = [0, 1, 2].map(() => bufferOf(4 * 4 * 35));
    device.queue.writeBuffer(buffers[0]!, 0, x as Float32Array<ArrayBuffer>);
    const slices = (i: number) => ({ buffer: buffers[i]!, offset: 0, size: 4 * 4 * 35 });
    const encode = async (op: typeof operation) => {
      const encoder = device.createCommandEncoder();
      op.encode(encoder, { x: buffers[0]!, y: buffers[1]! });
      op.encode(encoder, { x: buffers[1]!, y: buffers[2]! });
      return (await submitAndRead(encoder, { y: slices(2) })).y!;
    };
    const y = await encode(operation);
    const r = matrixOf(weights, 35, 35);
    expectClose(y, times(times(x, r, 4, 35, 35), r, 4, 35, 35), TOLERANCE);
    expectSame(await encode(same), y);
    for (const one of [operation, other, same]) one.dispose();
    for (const buffer of buffers) buffer.destroy();
  });

  it('binds what it needs of a buffer beyond the largest binding of the device', async () => {
    const large = bufferOf(device.limits.maxStorageBufferBindingSize + 256);
    const y = bufferOf(4 * 4 * 35);
    await randomMatmul(context, { ...product, x: large, y });
    const encoder = device.createCommandEncoder();
    expectSame((await submitAndRead(encoder, { y: { buffer: y, offset: 0, size: y.size } })).y!, new Float32Array(140));
    large.destroy();
    y.destroy();
  });
});

it('every kernel is at hand for prepareNow, which cannot wait for one', () => {
  const code = ['../kernels', '../shaders'].flatMap((place) => {
    const folder = join(import.meta.dirname, place);
    return readdirSync(folder).flatMap((name) =>
      name.endsWith('.ts') ? readFileSync(join(folder, name), 'utf8') : [],
    );
  });
  const lazy = code.flatMap((text) => /name: '(\w+)', fetch:/.exec(text)?.[1] ?? []);
  expect(lazy.length).toBeGreaterThan(9);
  const unreachable = () => Promise.reject(new Error('not provided'));
  for (const name of lazy) expect(sourceAtHand({ name, fetch: unreachable }).name).toBe(name);
});

describe('what can not be encoded, by name, before anything is', () => {
  const spec = { op: 'randomMatmul', m: 4, k: 35, n: 20, weights, scale: true, bias: true } as const;

  it('buffers', async () => {
    const operation = await prepare(context, spec);
    const fits: Record<string, BufferSlice> = {
      x: bufferOf(4 * 4 * 35),
      scale: bufferOf(80),
      bias: bufferOf(80),
      y: bufferOf(1024),
    };
    const refuses = (buffers: Record<string, unknown>, kind: new (message: string) => Error, message: RegExp) => {
      const encoder = device.createCommandEncoder();
      const encode = () => operation.encode(encoder, { ...fits, ...buffers } as typeof fits);
      expect(encode).toThrow(kind);
      expect(encode).toThrow(message);
      device.queue.submit([encoder.finish()]); // no pass was opened in it
    };
    const y = fits.y as GPUBuffer;
    refuses({ x: undefined }, ShapeError, /expected a buffer 'x', got/);
    refuses({ u: y }, ShapeError, /expected buffers x, scale, bias, y; got one called 'u'/);
    refuses({ x: bufferOf(300) }, ShapeError, /expected 'x' to hold 560 bytes, got 300: its shape is \(4, 35\) f32/);
    refuses({ y: { buffer: y, offset: 0, size: 316 } }, ShapeError, /expected 'y' to hold 320 bytes, got 316/);
    refuses(
      { y: { buffer: y, offset: 768, size: 320 } },
      ShapeError,
      /within its buffer of 1024 bytes, got offset 768/,
    );
    refuses({ y: { buffer: y, offset: -256, size: 320 } }, ShapeError, /within its buffer/);
    refuses({ y: { buffer: y, offset: Number.NaN, size: 320 } }, ShapeError, /within its buffer/);
    refuses(
      { y: { buffer: y, offset: 4, size: 320 } },
      GpuValidationError,
      /'y' at an offset that is a multiple of 256 .* got 4\. Move it to 256/,
    );
    refuses(
      { bias: bufferOf(80, COPY_DST) },
      GpuValidationError,
      /'bias' in a buffer with usage STORAGE .* got usage 0x8/,
    );
    refuses(
      { scale: { buffer: y, offset: 512, size: 80 } },
      GpuValidationError,
      /expected 'y', which \w+ writes, in a buffer apart from 'scale'/,
    );
    operation.dispose();
    refuses({}, GpuValidationError, /expected an operation in use, got a disposed one/);
  });

  it.each<[string, Record<string, unknown>, new (message: string) => Error, RegExp]>([
    ['sizes', { n: 0 }, ShapeError, /randomMatmul: expected n of 1 or more, got 0/],
    [
      'weights',
      { weights: { ...weights, distribution: 'gaussian' } },
      ShapeError,
      /expected weights to be one of normal/,
    ],
    ['seeds', { weights: { ...weights, seed: -1 } }, RangeError, /expected an integer from 0/],
    ['activations', { activation: 'swish' }, OptionError, /expected activation to be one of identity/],
    ['an activation alone', { scale: false, bias: false, activation: 'relu' }, ShapeError, /expected a bias/],
    ['kernels', { kernel: 'sign language' }, ShapeError, /expected a kernel for binary weights/],
    ['f16 on a device without', { precision: 'f16' }, ShaderError, /expected a device with 'shader-f16'/],
    ['operations', { op: 'softmax' }, ShapeError, /expected op to be an operation, one of .*; got 'softmax'/],
    [
      'gradients',
      { op: 'randomMatmulGradient', gradients: ['w'] },
      ShapeError,
      /expected gradients of x, scale, bias; got w/,
    ],
    ['no gradients', { op: 'randomMatmulGradient', gradients: [] }, ShapeError, /got none/],
    [
      'slices',
      { op: 'materialize', inputs: [5, 5], units: [0, 1], fanIn: 9 },
      ShapeError,
      /expected inputs from:to .* got 5:5/,
    ],
    [
      'kernels that do not fit',
      { op: 'halfConv2d', rows: 1, height: 2, width: 2, channels: 1, filters: 1, kernel: [3, 3] },
      ShapeError,
      /expected a kernel that fits/,
    ],
  ])('%s', async (_, wrong, kind, message) => {
    const bytes = context.memory.bytes;
    const other = wrong.op === 'materialize' || wrong.op === 'halfConv2d'; // they have no field m, n or k
    const bad = { ...(other ? { weights } : spec), ...wrong } as unknown as OperationSpec;
    expect(() => prepareNow(context, bad)).toThrow(message);
    await expect(prepare(context, bad)).rejects.toThrow(kind);
    expect(context.memory.bytes).toBe(bytes);
  });

  it('more than the device can hold', async () => {
    const bytes = context.memory.bytes;
    const m = 2 ** 20 - 16; // within the workgroups of a dimension
    const gradient = { ...spec, op: 'randomMatmulGradient', gradients: ['scale'] } as const;
    const huge = { ...gradient, activation: 'tanh', m, n: 64 } as const; // z of its own
    await expect(prepare(context, huge)).rejects.toThrow(OutOfMemoryError);
    expect(context.memory.bytes).toBe(bytes);
    const wide = prepareNow(context, { ...spec, activation: 'tanh', m });
    const x = bufferOf(4 * 35 * m);
    expect(() => wide.encode(device.createCommandEncoder(), { x })).toThrow(OutOfMemoryError);
    x.destroy();
    wide.dispose();
  });
});
