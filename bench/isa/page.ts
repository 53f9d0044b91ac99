/** The page that runs a task on the peers and records their calls of createShaderModule and createComputePipeline. */
import { peers } from '../engines/peers.ts';
import { type ForwardTask, forwardData } from '../tasks/forward.ts';

/** A compute pipeline that an engine requested. */
export interface Captured {
  readonly label: string;
  readonly code: string;
  readonly entryPoint?: string;
  readonly constants: Readonly<Record<string, number>>;
}

declare global {
  var capture: (engine: string, task: ForwardTask) => Promise<Captured[]>;
}

const modules = new WeakMap<GPUShaderModule, GPUShaderModuleDescriptor>();
let captured: Captured[] = [];

function note({ label, compute }: GPUComputePipelineDescriptor): void {
  const { module, entryPoint, constants } = compute;
  const from = modules.get(module);
  if (!from) return;
  captured.push({
    label: label || from.label || '',
    code: from.code,
    ...(entryPoint && { entryPoint }),
    constants: { ...constants },
  });
}

const device = GPUDevice.prototype;
const { createShaderModule, createComputePipeline, createComputePipelineAsync } = device;
device.createShaderModule = function (descriptor) {
  const module = createShaderModule.call(this, descriptor);
  modules.set(module, descriptor);
  return module;
};
device.createComputePipeline = function (descriptor) {
  note(descriptor);
  return createComputePipeline.call(this, descriptor);
};
device.createComputePipelineAsync = function (descriptor) {
  note(descriptor);
  return createComputePipelineAsync.call(this, descriptor);
};

globalThis.capture = async (name, task) => {
  const engine = peers.find((one) => one.name === name)!;
  captured = [];
  const prepared = await engine.prepare(task, engine.variants(task)[0]!, forwardData(task));
  await prepared.output();
  await prepared.dispose();
  return captured;
};
