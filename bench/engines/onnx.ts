/** ONNX Runtime Web from its package: WebGPU with inputs and outputs on the device, and WASM. */
import type { InferenceSession, OnnxRuntime, OnnxTensor } from 'onnxruntime-web';
import type { ForwardData, ForwardTask } from '../tasks/forward.ts';
import { type Engine, type Prepared, storedVariant, type Task, type TaskData } from './engine.ts';
import { denseModel } from './onnx-model.ts';

const FOLDER = '/onnxruntime/';

/** Loads a separate copy of the runtime, because the number of threads can be set only once per module instance. */
async function load(file: string, instance: string): Promise<OnnxRuntime> {
  const ort = (await import(`${FOLDER}${file}?${instance}`)) as OnnxRuntime;
  ort.env.wasm.wasmPaths = FOLDER;
  return ort;
}

function engine(
  name: string,
  peer: boolean,
  prepare: (task: ForwardTask, data: ForwardData) => Promise<Prepared>,
): Engine {
  return {
    name,
    peer,
    gpu: peer,
    variants: (task) => (task.kind === 'forward' ? [storedVariant(task)] : []),
    prepare: <T extends Task>(task: T, _: unknown, data: TaskData<T>) =>
      prepare(task as ForwardTask, data as ForwardData),
  };
}

const model = ({ m, k }: ForwardTask, data: ForwardData) =>
  denseModel(m, k, [{ weights: data.weights(), bias: data.b, relu: true }]);

let webgpu: Promise<OnnxRuntime> | undefined;

export const onnxWebgpu = engine('onnx-webgpu', true, async (task, data) => {
  webgpu ??= load('ort.webgpu.min.mjs', 'webgpu');
  const ort = await webgpu;
  const session = await ort.InferenceSession.create(model(task, data), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
  });
  const device = await ort.env.webgpu.device;
  const { m, k } = task;
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  const buffer = device.createBuffer({ size: data.x.byteLength, usage });
  device.queue.writeBuffer(buffer, 0, data.x);
  const x = ort.Tensor.fromGpuBuffer(buffer, { dataType: 'float32', dims: [m, k] });
  const call = async () => (await session.run({ x })).y!;
  return {
    async run() {
      (await call()).dispose();
    },
    async sync() {
      await device.queue.onSubmittedWorkDone();
    },
    async output() {
      const y = await call();
      const read = Float32Array.from(await y.getData());
      y.dispose();
      return read;
    },
    async dispose() {
      await session.release();
      buffer.destroy();
    },
  };
});

async function prepareWasm(ort: OnnxRuntime, task: ForwardTask, data: ForwardData): Promise<Prepared> {
  const session: InferenceSession = await ort.InferenceSession.create(model(task, data), {
    executionProviders: ['wasm'],
  });
  const x = new ort.Tensor('float32', data.x, [task.m, task.k]);
  const call = async (): Promise<OnnxTensor> => (await session.run({ x })).y!;
  const threads = ort.env.wasm.numThreads ?? 1;
  return {
    async run() {
      await call();
    },
    sync: async () => {},
    output: async () => Float32Array.from(await (await call()).getData()),
    dispose: () => session.release(),
    note: `${threads} thread${threads === 1 ? '' : 's'}`,
  };
}

let oneThread: Promise<OnnxRuntime> | undefined;

export const onnxWasm1 = engine('onnx-wasm-1', false, async (task, data) => {
  oneThread ??= load('ort.wasm.min.mjs', 'one').then((ort) => {
    ort.env.wasm.numThreads = 1;
    return ort;
  });
  return prepareWasm(await oneThread, task, data);
});

let allThreads: Promise<OnnxRuntime> | undefined;

/** One thread per core, like ours. By default it takes half as many, at most four. */
export const onnxWasm = engine('onnx-wasm', false, async (task, data) => {
  allThreads ??= load('ort.wasm.min.mjs', 'all').then((ort) => {
    ort.env.wasm.numThreads = navigator.hardwareConcurrency;
    return ort;
  });
  return prepareWasm(await allThreads, task, data);
});
