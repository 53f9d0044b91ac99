/** The compiled CPU kernels, shared by all machines and threads. */
import packed from '../../wasm/index.wasm';
import { unpack } from '../core/unpack.ts';
import type { RelaxedKernels } from './kernels.ts';

/** The modules of a machine; also sent to threads. */
export interface KernelModules {
  /** wasm/index.ts. */
  readonly strict: WebAssembly.Module;
  /** wasm/relaxed.ts, if its instructions exist and behave as needed: faster versions of some kernels, same results. */
  readonly relaxed: WebAssembly.Module | undefined;
}

let compiled: Promise<KernelModules> | undefined;

export function kernelModules(): Promise<KernelModules> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<KernelModules> {
  const [strict, relaxed] = await unpack(packed);
  const other = compileRelaxed(relaxed!).catch(() => undefined); // the engine has no relaxed SIMD
  return { strict: await WebAssembly.compile(strict!), relaxed: await other };
}

async function compileRelaxed(bytes: ArrayBuffer): Promise<WebAssembly.Module | undefined> {
  const module = await WebAssembly.compile(bytes);
  const { exports } = await WebAssembly.instantiate(module, {
    env: { memory: new WebAssembly.Memory({ initial: 1 }) },
  });
  return (exports as unknown as RelaxedKernels).isAsOnX86() ? module : undefined;
}
