/** The one executor of dispatches, for models and for raw operations: parameters packed, bind groups laid out, passes encoded. */
import type { Dispatch } from '../../kernels/dispatch.ts';
import { ShapeError } from '../core/errors.ts';
import { bindingsOf, type KernelSource, paramsOf } from '../core/kernel-source.ts';
import { type DeviceContext, guarded, type Pipeline } from './device.ts';
import { compileAll, compileAllNow } from './pipelines.ts';

/** The memory of a binding: a whole buffer, or a part of one. */
export type BufferSlice = GPUBuffer | { readonly buffer: GPUBuffer; readonly offset: number; readonly size: number };

/** The place of a kernel's parameters, which the executor itself holds. */
export const PARAMS: unique symbol = Symbol('params');

/** One dispatch, compiled. `B` stands for memory, as in the dispatch. */
interface Step<B> {
  readonly kernel: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly grid: readonly [number, number, number];
  /** Bindings in the order of the kernel; `write`: the kernel writes this one. */
  readonly bindings: readonly { readonly place: B | typeof PARAMS; readonly write: boolean }[];
  readonly paramsBytes: number;
}

/** Values of a kernel's `Params` struct, laid out as its WGSL declares it. */
function packParams(source: KernelSource, params: Dispatch<unknown>['params'], view: DataView, at: number): void {
  paramsOf(source).forEach(([name, type], i) => {
    const value = params[name!];
    if (value === undefined) throw new ShapeError(`kernel ${source.name}: no value for params.${name}`);
    if (type === 'f32') view.setFloat32(at + 4 * i, value, true);
    else if (Number.isInteger(value) && value < 2 ** 32 && value >= -(2 ** 31)) view.setUint32(at + 4 * i, value, true);
    else
      throw new ShapeError(
        `kernel ${source.name}: expected params.${name} to fit 32 bits, got ${value}. Use smaller sizes.`,
      );
  });
}

function stepOf<B>({ grid, buffers }: Dispatch<B>, { source, pipeline, layout }: Pipeline): Step<B> {
  const bindings = bindingsOf(source).map(({ name, type }): Step<B>['bindings'][number] => {
    if (name === 'params') return { place: PARAMS, write: false };
    const place = buffers[name];
    if (!place) throw new ShapeError(`kernel ${source.name}: no buffer for binding '${name}'`);
    return { place, write: type === 'storage' };
  });
  const paramsBytes = Math.ceil(paramsOf(source).length / 4) * 16;
  return { kernel: source.name, pipeline, layout, grid, bindings, paramsBytes };
}

/** Throws `ShapeError` for a dispatch that the device would refuse, which WebGPU reports only after the submit. */
export function expectGrids({ device }: DeviceContext, dispatches: readonly Dispatch<unknown>[]): void {
  const most = device.limits.maxComputeWorkgroupsPerDimension;
  for (const { source, grid } of dispatches) {
    if (grid.every((groups) => groups <= most)) continue;
    throw new ShapeError(
      `kernel ${source.name}: expected at most ${most} workgroups per dimension, got ${grid.join(' x ')}. Use a smaller batch or fewer units.`,
    );
  }
}

/** Dispatches with their pipelines and parameters on the device. It owns the buffer of the parameters. */
export class Executor<B> {
  readonly steps: readonly Step<B>[];
  readonly #context: DeviceContext;
  readonly #params: GPUBuffer | undefined;
  /** Bytes from the parameters of one step to those of the next. */
  readonly #stride: number;

  /** Blocks while it compiles what `compileAll` has not compiled before. The caller scopes the device's errors. */
  constructor(context: DeviceContext, dispatches: readonly Dispatch<B>[]) {
    expectGrids(context, dispatches);
    const pipelines = compileAllNow(context, dispatches);
    this.#context = context;
    this.steps = dispatches.map((dispatch, i) => stepOf(dispatch, pipelines[i]!));
    this.#stride = Math.max(256, context.device.limits.minUniformBufferOffsetAlignment);
    const data = new DataView(new ArrayBuffer(this.#stride * dispatches.length));
    dispatches.forEach(({ params }, i) => {
      packParams(pipelines[i]!.source, params, data, i * this.#stride);
    });
    if (dispatches.length === 0) return;
    this.#params = context.createBuffer(data.byteLength, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'params');
    context.device.queue.writeBuffer(this.#params, 0, data.buffer as ArrayBuffer);
  }

  /** Bytes on the device. */
  get bytes(): number {
    return this.#params?.size ?? 0;
  }

  /** A bind group for each step; `resolve` gives the memory that a place of a dispatch stands for. */
  bind(resolve: (place: B) => BufferSlice): GPUBindGroup[] {
    return this.steps.map(({ kernel, layout, bindings, paramsBytes }, i) => {
      const entries = bindings.map(({ place }, binding): GPUBindGroupEntry => {
        if (place === PARAMS) {
          return { binding, resource: { buffer: this.#params!, offset: i * this.#stride, size: paramsBytes } };
        }
        const slice = resolve(place as B);
        return { binding, resource: 'offset' in slice ? slice : { buffer: slice } };
      });
      return this.#context.device.createBindGroup({ label: kernel, layout, entries });
    });
  }

  /** Adds every dispatch, in order, to a compute pass. */
  encode(pass: GPUComputePassEncoder, groups: readonly GPUBindGroup[]): void {
    this.steps.forEach(({ pipeline, grid }, i) => {
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, groups[i]!);
      pass.dispatchWorkgroups(...grid);
    });
  }

  dispose(): void {
    if (this.#params) this.#context.destroyBuffers([this.#params]);
  }
}

/** Dispatches bound once, to be encoded as often as is needed: three calls each. */
export class Recording {
  readonly #context: DeviceContext;
  readonly #executor: Executor<BufferSlice>;
  readonly #groups: readonly GPUBindGroup[];

  private constructor(context: DeviceContext, executor: Executor<BufferSlice>, groups: readonly GPUBindGroup[]) {
    this.#context = context;
    this.#executor = executor;
    this.#groups = groups;
  }

  /** Compiles what is missing, all pipelines at once, and makes the bind groups. */
  static async create(context: DeviceContext, dispatches: readonly Dispatch<BufferSlice>[]): Promise<Recording> {
    await compileAll(context, dispatches);
    let executor: Executor<BufferSlice> | undefined;
    try {
      return await guarded(context, 'preparing kernels', () => {
        executor = new Executor(context, dispatches);
        return new Recording(
          context,
          executor,
          executor.bind((slice) => slice),
        );
      });
    } catch (error) {
      executor?.dispose();
      throw error;
    }
  }

  /** Adds every dispatch, in order, to the caller's compute pass. */
  encode(pass: GPUComputePassEncoder): void {
    this.#executor.encode(pass, this.#groups);
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
    this.#executor.dispose();
  }
}

/** Runs dispatches once, in order, in one submit; resolves when the device has done them. */
export async function runDispatches(
  context: DeviceContext,
  dispatches: readonly Dispatch<BufferSlice>[],
): Promise<void> {
  const recording = await Recording.create(context, dispatches);
  try {
    await guarded(context, `running ${dispatches[0]?.source.name ?? 'nothing'}`, () => recording.submit());
    await context.settle();
  } finally {
    recording.dispose();
  }
}
