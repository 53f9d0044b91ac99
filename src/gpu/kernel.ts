/** Kernels: link fragments, compile once, bind, encode. */

import type { Dispatch } from '../../kernels/dispatch.ts';
import { fragments } from '../../shaders/index.ts';
import { ShaderError, ShapeError } from '../core/errors.ts';
import { bindingsOf, type KernelSource, paramsOf, readSource } from '../core/kernel-source.ts';
import type { ElementwiseName } from '../weights/distributions.ts';
import { type Context, guarded, untilLost } from './context.ts';

/** A binding's memory: a whole buffer, or a part of it. */
export type BufferSlice = GPUBuffer | { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number };

export interface Pipeline {
  readonly source: KernelSource;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** Pipelines that are compiled or being compiled, by everything that distinguishes them. */
export type PipelineCache = Map<string, Promise<Pipeline>>;

/** The complete WGSL of a kernel: its fragments in order, then the kernel. */
export function linkKernel(source: KernelSource, weights?: ElementwiseName): string {
  const parts = source.uses.map((name) => {
    const fragment = fragments[name === 'weights' ? (weights ?? 'missing distribution') : name];
    if (!fragment) throw new ShaderError(`kernel ${source.name}: no shader fragment '${name}' (${weights ?? 'none'})`);
    return fragment.code;
  });
  return [...parts, source.code].join('\n');
}

/** The key of a pipeline. */
export const pipelineKey = ({ source, weights, constants }: Dispatch<unknown>): string =>
  `${source.name} ${weights} ${JSON.stringify(constants)}`;

/** Everything of a compiled kernel except its pipeline. */
export function pipelineParts(
  { device }: Context,
  source: KernelSource,
  { weights, constants = {} }: Dispatch<unknown>,
) {
  const code = linkKernel(source, weights);
  const label = weights ? `${source.name} ${weights}` : source.name;
  device.pushErrorScope('validation'); // the pipeline's error also covers the module's
  const module = device.createShaderModule({ code, label });
  const layout = device.createBindGroupLayout({
    entries: bindingsOf(source).map(({ type }, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type },
    })),
  });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  device.popErrorScope().catch(() => {}); // popped at once: an open scope would catch errors of others during the wait
  const compute = { module, entryPoint: 'main', constants };
  return { code, layout, descriptor: { label, layout: pipelineLayout, compute } };
}

function pipelineFor(context: Context, dispatch: Dispatch<unknown>): Promise<Pipeline> {
  const key = pipelineKey(dispatch);
  const cached = context.pipelines.get(key);
  if (cached) return cached;
  const compiled = readSource(dispatch.source).then((source) => compile(context, source, dispatch));
  context.pipelines.set(key, compiled);
  compiled.catch(() => context.pipelines.delete(key)); // allows another attempt after a failure
  return compiled;
}

async function compile(context: Context, source: KernelSource, dispatch: Dispatch<unknown>): Promise<Pipeline> {
  const { code, layout, descriptor } = pipelineParts(context, source, dispatch);
  try {
    const pipeline = await untilLost(context, context.device.createComputePipelineAsync(descriptor));
    return { source, pipeline, layout };
  } catch (error) {
    context.checkAlive();
    const { compilerSays } = await import('./shader-error.ts');
    throw new ShaderError(await untilLost(context, compilerSays(descriptor, code, error as Error)));
  }
}

/** Compiles missing pipelines in parallel. */
export const compileAll = (context: Context, dispatches: readonly Dispatch<unknown>[]): Promise<Pipeline[]> =>
  Promise.all(dispatches.map((dispatch) => pipelineFor(context, dispatch)));

/** Values of a kernel's `Params` struct, in the layout of its WGSL. */
export function packParams(
  source: KernelSource,
  params: Dispatch<unknown>['params'],
  view: DataView,
  at: number,
): void {
  paramsOf(source).forEach(([name, type], i) => {
    const value = params[name!];
    if (value === undefined) throw new ShapeError(`kernel ${source.name}: no value for params.${name}`);
    if (type === 'f32') view.setFloat32(at + 4 * i, value, true);
    else view.setUint32(at + 4 * i, value, true);
  });
}

interface RecordedStep {
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  readonly grid: readonly [number, number, number];
}

/** Dispatches with their pipelines and bind groups made: encoding them again costs three calls each. */
export class Recording {
  readonly #context: Context;
  readonly #params: GPUBuffer | undefined;
  readonly #steps: readonly RecordedStep[];

  private constructor(context: Context, params: GPUBuffer | undefined, steps: readonly RecordedStep[]) {
    this.#context = context;
    this.#params = params;
    this.#steps = steps;
  }

  /** Compiles missing pipelines in parallel, and creates the bind groups. */
  static async create(context: Context, dispatches: readonly Dispatch<BufferSlice>[]): Promise<Recording> {
    const pipelines = await compileAll(context, dispatches);
    return guarded(context, 'preparing kernels', () => {
      const { device } = context;
      const stride = Math.max(256, device.limits.minUniformBufferOffsetAlignment);
      const size = stride * dispatches.length;
      const data = new DataView(new ArrayBuffer(size));
      const params = size
        ? context.createBuffer(size, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'params')
        : undefined;
      const steps = dispatches.map((dispatch, i) => {
        const { params: values, buffers, grid } = dispatch;
        const { source, pipeline, layout } = pipelines[i]!;
        packParams(source, values, data, i * stride);
        const entries = bindingsOf(source).map(({ name }, binding): GPUBindGroupEntry => {
          if (name === 'params') {
            const size = Math.ceil(paramsOf(source).length / 4) * 16;
            return { binding, resource: { buffer: params!, offset: i * stride, size } };
          }
          const slice = buffers[name];
          if (!slice) throw new ShapeError(`kernel ${source.name}: no buffer for binding '${name}'`);
          return { binding, resource: 'offset' in slice ? slice : { buffer: slice } };
        });
        return { pipeline, group: device.createBindGroup({ label: source.name, layout, entries }), grid };
      });
      if (params) device.queue.writeBuffer(params, 0, data.buffer as ArrayBuffer);
      return new Recording(context, params, steps);
    });
  }

  /** Adds every dispatch, in order, to the caller's compute pass. */
  encode(pass: GPUComputePassEncoder): void {
    for (const { pipeline, group, grid } of this.#steps) {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(...grid);
    }
  }

  /** One pass, one submit. */
  submit(): void {
    const { device } = this.#context;
    this.#context.checkAlive();
    const encoder = device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    this.encode(pass);
    pass.end();
    device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    if (this.#params) this.#context.destroyBuffers([this.#params]);
  }
}

/** Runs dispatches once, in order, in one submit. Resolves when the device is done. */
export async function runDispatches(context: Context, dispatches: readonly Dispatch<BufferSlice>[]): Promise<void> {
  const recording = await Recording.create(context, dispatches);
  try {
    await guarded(context, `running ${dispatches[0]?.source.name ?? 'nothing'}`, () => recording.submit());
    await context.settle();
  } finally {
    recording.dispose();
  }
}
