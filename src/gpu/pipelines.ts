/** Pipelines: kernels linked with their fragments, compiled once for a device. */
import type { Dispatch } from '../../kernels/dispatch.ts';
import { fragments } from '../../shaders/index.ts';
import { ShaderError } from '../core/errors.ts';
import { bindingsOf, type KernelSource, provideSource, readSource, sourceAtHand } from '../core/kernel-source.ts';
import { onDemand } from '../core/on-demand.ts';
import type { ElementwiseName } from '../weights/distributions.ts';
import { type DeviceContext, type Pipeline, untilLost } from './device.ts';

/** Has the fragment of a distribution at hand, which is fetched on demand if few pages need it. */
export async function provideWeights(weights?: ElementwiseName): Promise<void> {
  const fragment = weights && fragments[weights];
  if (fragment && 'fetch' in fragment) provideSource(await readSource(fragment));
}

/** The whole WGSL of a kernel: its fragments in the order in which it names them, then the kernel itself. */
export function linkKernel(source: KernelSource, weights?: ElementwiseName): string {
  const parts = source.uses.map((name) => {
    const fragment = fragments[name === 'weights' ? (weights ?? 'missing distribution') : name];
    if (!fragment) throw new ShaderError(`kernel ${source.name}: no shader fragment '${name}' (${weights ?? 'none'})`);
    return sourceAtHand(fragment).code;
  });
  return [...parts, source.code].join('\n');
}

/** Everything that tells two pipelines of a device apart. */
const pipelineKey = ({ source, weights, constants }: Dispatch<unknown>): string =>
  `${source.name} ${weights} ${JSON.stringify(constants)}`;

/** The descriptor of a kernel's pipeline, its layout, and the WGSL that it compiles. */
function describePipeline(
  { device }: DeviceContext,
  source: KernelSource,
  { weights, constants = {} }: Dispatch<unknown>,
) {
  const code = linkKernel(source, weights);
  const label = weights ? `${source.name} ${weights}` : source.name;
  device.pushErrorScope('validation'); // the pipeline reports the errors of its module
  const module = device.createShaderModule({ code, label });
  const layout = device.createBindGroupLayout({
    entries: bindingsOf(source).map(({ type }, binding) => ({
      binding,
      visibility: GPUShaderStage.COMPUTE,
      buffer: { type },
    })),
  });
  const pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [layout] });
  device.popErrorScope().catch(() => {}); // at once: a scope left open while waiting would catch the errors of others
  const compute = { module, entryPoint: 'main', constants };
  return { code, layout, descriptor: { label, layout: pipelineLayout, compute } };
}

async function compile(context: DeviceContext, dispatch: Dispatch<unknown>): Promise<Pipeline> {
  const source = await readSource(dispatch.source);
  await provideWeights(dispatch.weights);
  const { code, layout, descriptor } = describePipeline(context, source, dispatch);
  try {
    const pipeline = await untilLost(context, context.device.createComputePipelineAsync(descriptor));
    return { source, pipeline, layout };
  } catch (error) {
    context.checkAlive();
    const { compilerMessage } = await onDemand(import('./shader-error.ts'));
    throw new ShaderError(await untilLost(context, compilerMessage(descriptor, code, error as Error)));
  }
}

function pipelineOf(context: DeviceContext, dispatch: Dispatch<unknown>): Pipeline | Promise<Pipeline> {
  const { pipelines } = context;
  const key = pipelineKey(dispatch);
  const cached = pipelines.get(key);
  if (cached) return cached;
  const compiling = compile(context, dispatch);
  pipelines.set(key, compiling);
  compiling.then(
    (pipeline) => pipelines.set(key, pipeline),
    () => pipelines.delete(key), // may succeed another time
  );
  return compiling;
}

/** The pipelines of the dispatches. Those that are missing compile at the same time. Throws `ShaderError`, `DeviceLostError`. */
export const compileAll = (context: DeviceContext, dispatches: readonly Dispatch<unknown>[]): Promise<Pipeline[]> =>
  Promise.all(dispatches.map((dispatch) => pipelineOf(context, dispatch)));

/**
 * The same at once: compilation blocks, and WebGPU reports an error only by the device's `uncapturederror` event. Throws
 * `ShaderError` for a kernel whose source is not at hand.
 */
export const compileAllNow = (context: DeviceContext, dispatches: readonly Dispatch<unknown>[]): Pipeline[] =>
  dispatches.map((dispatch) => {
    const key = pipelineKey(dispatch);
    const cached = context.pipelines.get(key);
    if (cached && !(cached instanceof Promise)) return cached;
    const source = sourceAtHand(dispatch.source);
    const { layout, descriptor } = describePipeline(context, source, dispatch);
    const made = { source, pipeline: context.device.createComputePipeline(descriptor), layout };
    context.pipelines.set(key, made);
    return made;
  });
