/** `createContext` on adapters and devices that fail: the CPU computes where the fastest backend is asked for. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DeviceLostError, NoAdapterError } from '../src/core/errors.ts';
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

describe("featureLevel 'compatibility': workgroups of 128 invocations", () => {
  const limits = { maxComputeInvocationsPerWorkgroup: 128, maxComputeWorkgroupSizeX: 128 };
  const small = { lost: never(), limits, features: new Set() } as unknown as GPUDevice;

  it('is named for a device of the caller, and where WebGPU is asked for', async () => {
    const gpu = fakeGpu(async () => small);
    for (const options of [{ device: small }, { gpu, backend: 'webgpu' }] as const) {
      const opening = createContext(options);
      await expect(opening).rejects.toThrow(NoAdapterError);
      await expect(opening).rejects.toThrow(/expected a device with workgroups of 256 invocations, got 128/);
    }
  });

  it('leaves the CPU', async () => {
    const context = await createContext({ gpu: fakeGpu(async () => small), backend: 'fastest', threads: 1 });
    expect(context.info).toContain('fake hardware gives no device: expected a device with workgroups of 256');
    expect(await answers(context)).toBe(2);
  });
});

describe('a rival of the CPU', () => {
  it('that wins, and later fails, leaves the CPU and the model as it was', async () => {
    const wrong = Float32Array.of(7, 7);
    let failure: Error | undefined;
    const compute = async () => {
      if (failure) throw failure;
      return wrong;
    };
    const disposed = vi.fn();
    const rival = { forward: async () => ({ compute, prepare: compute, dispose: disposed }), dispose() {} };
    const context = await createCpuContext({ threads: 1 }, 'why', async () => rival as never, 64);
    const alone = await createCpuContext({ threads: 1 }, 'why');
    const [predictor, expected] = [await loadModel(context, file()), await loadModel(alone, file())];
    expect(await predictor.predict([1, 2, 3])).toEqual(wrong); // the rival computes
    failure = new DeviceLostError('the driver was reset');
    for (const values of predictor.model.parameters.values()) values.fill(9); // the predictor has its own
    for (const inputs of [
      [1, 2, 3],
      [4, 5, 6, 7, 8, 9],
    ])
      expect(await predictor.predict(inputs)).toEqual(await expected.predict(inputs));
    expect(context.info).toContain('WebGPU is out of the race: the driver was reset');
    await predictor.dispose();
    expect(disposed).toHaveBeenCalledOnce();
  });

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
