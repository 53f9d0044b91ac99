import { describe, expect, it, vi } from 'vitest';
import type { Dispatch } from '../kernels/dispatch.ts';
import { adapterName } from '../src/backend/adapter.ts';
import { GpuValidationError, NoAdapterError, OutOfMemoryError, ShaderError, ShapeError } from '../src/core/errors.ts';
import { readBuffer, readFloats, storageBuffer, uploadBuffer } from '../src/gpu/buffers.ts';
import { guarded } from '../src/gpu/device.ts';
import { type BufferSlice, Recording, runDispatches } from '../src/gpu/kernel.ts';
import { nodeGpu } from '../src/node.ts';
import { createContext } from '../src/open.ts';
import { createContext as createContextOfOps, randomMatmul } from '../src/ops.ts';
import { epilogue } from '../src/reference/epilogue.ts';
import { randomMatmul as twin } from '../src/reference/random_matmul.ts';
import { expectClose } from './compare.ts';
import { freshContext, testContext } from './gpu.ts';
import { numbers } from './kernels/harness.ts';

describe('createContext', () => {
  it('says that there is no WebGPU, and what to do', async () => {
    vi.stubGlobal('navigator', undefined); // Deno has WebGPU
    await expect(createContext({ backend: 'webgpu' })).rejects.toThrow(NoAdapterError);
    await expect(createContext({ backend: 'webgpu' })).rejects.toThrow(/nodeGpu/);
    vi.unstubAllGlobals();
  });

  it('says that there is no adapter', async () => {
    const gpu = { requestAdapter: async () => null } as unknown as GPU;
    await expect(createContext({ gpu })).rejects.toThrow(NoAdapterError);
    await expect(createContext({ gpu })).rejects.toThrow(/weightless doctor/);
  });

  it("takes another library's device, and never destroys it", async () => {
    const adapter = await (await nodeGpu()).requestAdapter();
    const device = await adapter!.requestDevice(); // default limits
    const context = await createContext({ device });
    const mine = uploadBuffer(context, Float32Array.of(1, 2, 3));
    expect([...(await readFloats(context, mine, 3))]).toEqual([1, 2, 3]);
    context.dispose();
    const theirs = device.createBuffer({ size: 16, usage: GPUBufferUsage.COPY_DST });
    device.pushErrorScope('validation');
    device.queue.writeBuffer(theirs, 0, new Float32Array(4));
    expect(await device.popErrorScope()).toBeNull();
    device.destroy();
  });

  it('asks for f16 and subgroups where the adapter has them, and for nothing that it lacks', async () => {
    const adapter = await (await nodeGpu()).requestAdapter();
    const { device } = await testContext();
    for (const feature of ['shader-f16', 'subgroups']) {
      expect(device.features.has(feature), feature).toBe(adapter!.features.has(feature));
    }
  });

  it('describes the adapter', async () => {
    const { adapter } = await testContext();
    expect(adapterName(adapter)).not.toBe('unnamed adapter');
    expect(typeof adapter.software).toBe('boolean');
  });
});

describe('errors by name', () => {
  const source = { name: 'broken', uses: [] };
  const dispatch = (code: string): Dispatch<BufferSlice> => ({
    source: { ...source, code },
    params: {},
    buffers: {},
    grid: [1, 1, 1],
  });

  it('a shader that does not compile: line and source', async () => {
    const context = await testContext(); // whose device must not report it a second time
    const code = '@compute @workgroup_size(1) fn main() {\n  let a: u32 = 1.5;\n}';
    const made = Recording.create(context, [dispatch(code)]);
    await expect(made).rejects.toThrow(ShaderError);
    await expect(made).rejects.toThrow(/broken:2:\d+[\s\S]*let a: u32 = 1.5;/);
  });

  it('a missing binding, a missing parameter', async () => {
    const context = await testContext();
    const code =
      '@group(0) @binding(0) var<storage, read_write> y: array<f32>; @compute @workgroup_size(1) fn main() { y[0] = 1.0; }';
    const bound = dispatch(code);
    await expect(runDispatches(context, [bound])).rejects.toThrow(ShapeError);
    await expect(runDispatches(context, [bound])).rejects.toThrow(/no buffer for binding 'y'/);
  });

  it('a buffer past the limits of the device', async () => {
    const context = await testContext();
    const limit = context.device.limits.maxBufferSize;
    expect(() => storageBuffer(context, limit + 4, 'huge')).toThrow(OutOfMemoryError);
    expect(() => storageBuffer(context, limit + 4, 'huge')).toThrow(
      /'huge': expected at most \d+ bytes.*smaller batch/,
    );
  });

  it('a command that the device refuses', async () => {
    const context = await testContext();
    const buffer = storageBuffer(context, 16, 'small');
    await expect(readBuffer(context, buffer, 64)).rejects.toThrow(GpuValidationError);
    await expect(
      guarded(context, 'testing', () => context.device.queue.writeBuffer(buffer, 8, new Uint8Array(16))),
    ).rejects.toThrow(/while testing/);
    context.destroyBuffers([buffer]);
  });

  it('keeps count of what is there', async () => {
    const context = await freshContext();
    const a = storageBuffer(context, 1000, 'a');
    storageBuffer(context, 500, 'b');
    expect(context.memory).toEqual({ bytes: 1500, peak: 1500 });
    context.destroyBuffers([a, a]);
    expect(context.memory).toEqual({ bytes: 500, peak: 1500 });
    context.dispose();
    expect(context.memory.bytes).toBe(0);
  });
});

describe('compiling', () => {
  it('happens once for each kernel, distribution and set of constants', async () => {
    const context = await freshContext();
    const { device } = context;
    const create = device.createComputePipelineAsync.bind(device);
    let compiled = 0;
    device.createComputePipelineAsync = (descriptor) => {
      compiled++;
      return create(descriptor);
    };
    const weights = { seed: 1, tensor: 0, distribution: 'normal' } as const;
    const [x, y] = [storageBuffer(context, 4 * 8 * 5, 'x'), storageBuffer(context, 4 * 8 * 6, 'y')];
    for (let i = 0; i < 3; i++) await randomMatmul(context, { m: 8, k: 5, n: 6, weights, x, y });
    expect(compiled).toBe(1);
    await randomMatmul(context, { m: 8, k: 5, n: 6, weights: { ...weights, distribution: 'binary' }, x, y });
    await randomMatmul(context, { m: 1, k: 5, n: 6, weights, x, y });
    expect(compiled).toBe(3);
    context.dispose();
  });
});

describe('weightless-gpu/ops', () => {
  it("multiplies on a caller's device and buffers, slices too", async () => {
    const adapter = await (await nodeGpu()).requestAdapter();
    const device = await adapter!.requestDevice();
    const context = await createContextOfOps({ device });
    const [m, k, n] = [5, 33, 21];
    const [x, scale, bias] = [numbers(m * k, 1), numbers(n, 2), numbers(n, 3)];
    const all = device.createBuffer({ size: 8192, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST });
    for (const [i, data] of [x, scale, bias].entries()) device.queue.writeBuffer(all, 1024 * i, data);
    const part = (i: number, size: number) => ({ buffer: all, offset: 1024 * i, size });
    const y = device.createBuffer({ size: 4 * m * n, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
    const weights = { seed: 3, tensor: 1, distribution: 'sparse' } as const;
    await randomMatmul(context, {
      m,
      k,
      n,
      weights,
      x: part(0, 4 * m * k),
      scale: part(1, 4 * n),
      bias: part(2, 4 * n),
      activation: 'tanh',
      y,
    });
    const want = epilogue({ m, n, z: twin({ m, k, n, weights, x }), u: scale, b: bias, activation: 'tanh' });
    expectClose(await readFloats(context, y, m * n), want, { absolute: 1e-5, reason: 'f32 sum, tanh of WGSL' });
    device.destroy();
  });

  it('refuses sizes that do not fit', async () => {
    const context = await testContext();
    const [x, y] = [storageBuffer(context, 4 * 8 * 5, 'x'), storageBuffer(context, 4 * 8 * 6, 'y')];
    const weights = { seed: 1, tensor: 0, distribution: 'normal' } as const;
    const fits = { m: 8, k: 5, n: 6, weights, x, y };
    await expect(randomMatmul(context, { ...fits, k: 6 })).rejects.toThrow(/expected 'x' to hold 192 bytes, got 160/);
    await expect(randomMatmul(context, { ...fits, n: 0 })).rejects.toThrow(/expected n of 1 or more, got 0/);
    await expect(randomMatmul(context, { ...fits, activation: 'relu' })).rejects.toThrow(/expected a bias/);
    await expect(randomMatmul(context, { ...fits, weights: { ...weights, seed: -1 } })).rejects.toThrow(RangeError);
  });
});
