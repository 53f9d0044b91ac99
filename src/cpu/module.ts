/** The compiled CPU kernels, once for all machines and threads. */
import packed from '../../wasm/index.wasm';
import type { RelaxedKernels } from './kernels.ts';
import { unpack } from './unpack.ts';

/** What a machine needs; threads are sent it. */
export interface KernelModules {
  /** wasm/index.ts. */
  readonly strict: WebAssembly.Module;
  /** wasm/relaxed.ts, where its instructions exist and do what they should: some kernels again, faster, with the same results. */
  readonly relaxed: WebAssembly.Module | undefined;
}

let compiled: Promise<KernelModules> | undefined;

export function kernelModules(): Promise<KernelModules> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<KernelModules> {
  const [strict, relaxed] = await unpack(packed);
  const other = compileRelaxed(relaxed!).catch(() => undefined); // no relaxed SIMD here
  return { strict: await WebAssembly.compile(strict!), relaxed: await other };
}

async function compileRelaxed(bytes: ArrayBuffer): Promise<WebAssembly.Module | undefined> {
  const module = await WebAssembly.compile(bytes);
  const { exports } = await WebAssembly.instantiate(module, {
    env: { memory: new WebAssembly.Memory({ initial: 1 }) },
  });
  return (exports as unknown as RelaxedKernels).isAsOnX86() ? module : undefined;
}
