/** `createContext` on adapters and devices that fail: the CPU computes where the fastest backend is asked for. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeviceLostError } from '../src/core/errors.ts';
import { createCpuContext } from '../src/cpu/cpu.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { saveModel } from '../src/model/save.ts';
import { createContext } from '../src/open.ts';
import { loadModel } from '../src/predict/load.ts';
import { modelOf } from './cpu/models.ts';

type RequestDevice = (descriptor?: GPUDeviceDescriptor) => Promise<GPUDevice>;

/** A GPU whose adapters answer as told. */
const fakeGpu = (requestDevice: RequestDevice, description = 'fake hardware') =>
  ({
    requestAdapter: async () => ({
      info: { vendor: '', architecture: '', device: '', description },
      features: new Set<string>(),
      limits: { maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 },
      requestDevice,
    }),
  }) as unknown as GPU;

const never = () => new Promise<never>(() => {});
const file = () => saveModel(modelOf([halfDense({ units: 4 }), dense({ units: 2 })], 3));
const answers = async (context: Parameters<typeof loadModel>[0]) =>
  (await (await loadModel(context, file())).predict([1, 2, 3])).length;

describe('an adapter that gives no device', () => {
  it('leaves the CPU, and is an error where WebGPU is asked for', async () => {
    const gpu = fakeGpu(() => Promise.reject(new Error('no device today')));
    const context = await createContext({ gpu, backend: 'fastest', threads: 1 });
    expect(context.info).toContain('fake hardware gives no device: no device today');
    expect(await answers(context)).toBe(2);
    await expect(createContext({ gpu, backend: 'webgpu' })).rejects.toThrow('no device today');
  });

  it('is asked again, without limits and features', async () => {
    const asked: unknown[] = [];
    const device = { lost: never(), limits: {}, features: new Set() } as unknown as GPUDevice;
    const gpu = fakeGpu(async (descriptor) => {
      asked.push(descriptor?.requiredLimits);
      if (descriptor?.requiredLimits) throw new Error('limits refused');
      return device;
    });
    expect((await createContext({ gpu, backend: 'fastest' })).backend).toBe('webgpu');
    expect(asked).toEqual([{ maxStorageBufferBindingSize: 2 ** 30, maxBufferSize: 2 ** 30 }, undefined]);
  });

  it('leaves the CPU where the device, or the adapter, never comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    for (const gpu of [fakeGpu(never), { requestAdapter: never } as unknown as GPU]) {
      const opening = createContext({ gpu, backend: 'fastest', threads: 1 });
      await vi.advanceTimersByTimeAsync(20_000);
      expect((await opening).backend).toBe('cpu');
    }
  });
});

describe('a rival of the CPU', () => {
  it.each([
    ['opens no device', () => Promise.reject(new Error('no device today'))],
    [
      'loses its device',
      async () => ({ forward: () => Promise.reject(new DeviceLostError('no device today')), dispose() {} }) as never,
    ],
  ])('that %s leaves the CPU', async (_, rival) => {
    const context = await createCpuContext({ threads: 1 }, 'why', rival, 64);
    expect(await answers(context)).toBe(2);
    expect(context.info).toContain('no device today');
    context.dispose();
  });
});
