/** Compiles and times compute shaders, in one interleaved run. Works the same in a page and in Node. */
import { GpuValidationError, ShaderError } from '../../src/core/errors.ts';
import { readBuffer, storageBuffer, writeBuffer } from '../../src/gpu/buffers.ts';
import type { Context } from '../../src/gpu/context.ts';
import { finished, openContext } from '../gpu.ts';
import { measure } from '../measure.ts';
import { gpuMilliseconds } from '../timestamps.ts';
import { contentsOf } from './data.ts';
import type { KernelPlan } from './plan.ts';

export interface KernelRunOptions {
  readonly runs: number;
  /** Whether to return what the first call wrote. */
  readonly outputs: boolean;
}

export interface KernelResult {
  readonly name: string;
  readonly samples?: readonly number[];
  readonly calls?: number;
  readonly gpuMs?: number;
  /** Bytes in base64 of each buffer that the kernel may write, after one call. */
  readonly outputs?: Readonly<Record<string, string>>;
  readonly error?: string;
}

const STEP = 3 * 2 ** 12;

function base64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += STEP)
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + STEP))));
  return parts.join('');
}

async function compile({ device }: Context, { name, code, entry, constants, buffers }: KernelPlan) {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ label: name, code });
  const { messages } = await module.getCompilationInfo();
  const errors = messages.filter(({ type }) => type === 'error');
  const groups = Math.max(-1, ...buffers.map(({ group }) => group)) + 1;
  const bindGroupLayouts = Array.from({ length: groups }, (_, group) =>
    device.createBindGroupLayout({
      entries: buffers
        .filter((one) => one.group === group)
        .map(({ binding, kind }) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type: kind } })),
    }),
  );
  const layout = device.createPipelineLayout({ bindGroupLayouts });
  const compute = { module, entryPoint: entry, constants };
  const pipeline = await device
    .createComputePipelineAsync({ label: name, layout, compute })
    .catch((error: Error) => error);
  const invalid = await device.popErrorScope();
  if (errors.length) {
    const lines = errors.map(({ lineNum, linePos, message }) => `${name}:${lineNum}:${linePos}: ${message}`);
    throw new ShaderError(lines.join('\n'));
  }
  if (pipeline instanceof Error) throw new ShaderError(`${name}: ${pipeline.message}`);
  if (invalid) throw new ShaderError(`${name}: ${invalid.message}`);
  return { pipeline, bindGroupLayouts };
}

async function prepare(context: Context, plan: KernelPlan, outputs: boolean) {
  const { device } = context;
  const { pipeline, bindGroupLayouts } = await compile(context, plan);
  const held = plan.buffers.map((buffer, i) => {
    const { UNIFORM, COPY_DST } = GPUBufferUsage;
    const made =
      buffer.kind === 'uniform'
        ? context.createBuffer(buffer.bytes, UNIFORM | COPY_DST, buffer.name)
        : storageBuffer(context, buffer.bytes, buffer.name);
    writeBuffer(context, made, 0, contentsOf(buffer, i + 1));
    return made;
  });
  const bindGroups = bindGroupLayouts.map((layout, group) =>
    device.createBindGroup({
      layout,
      entries: plan.buffers.flatMap(({ binding, ...one }, i) =>
        one.group === group ? [{ binding, resource: { buffer: held[i]! } }] : [],
      ),
    }),
  );
  const run = () => {
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    for (const [group, bindGroup] of bindGroups.entries()) pass.setBindGroup(group, bindGroup);
    pass.dispatchWorkgroups(...plan.grid);
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
  device.pushErrorScope('validation');
  run();
  const invalid = await device.popErrorScope();
  if (invalid) throw new GpuValidationError(`${plan.name}: ${invalid.message}`);
  const written: Record<string, string> = {};
  for (const [i, { name, kind }] of plan.buffers.entries()) {
    if (outputs && kind === 'storage') written[name] = base64(new Uint8Array(await readBuffer(context, held[i]!)));
  }
  return { run, sync: async () => void (await finished(context)), outputs: written };
}

/** A kernel that does not compile or run gives a result with its error; the others are timed in turn. */
export async function runKernels(plans: readonly KernelPlan[], options: KernelRunOptions): Promise<KernelResult[]> {
  const context = await openContext(plans.flatMap(({ features }) => features));
  const results: KernelResult[] = plans.map(({ name }) => ({ name }));
  const ready: (Awaited<ReturnType<typeof prepare>> & { at: number })[] = [];
  for (const [at, plan] of plans.entries()) {
    try {
      ready.push({ ...(await prepare(context, plan, options.outputs)), at });
    } catch (error) {
      const { name, message } = error as Error;
      results[at] = { name: plan.name, error: `${name}: ${message}` };
    }
  }
  const measured = await measure(ready, { runs: options.runs });
  for (const [i, { ms, calls }] of measured.entries()) {
    const { at, outputs } = ready[i]!;
    const gpuMs = await gpuMilliseconds(ready[i]!, calls);
    results[at] = { ...results[at]!, samples: ms, calls, outputs, ...(gpuMs && { gpuMs }) };
  }
  context.device.destroy();
  return results;
}
