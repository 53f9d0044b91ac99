/** The kernels of wasm/lazy.ts, compiled once for all machines. */
import packed from '../../wasm/lazy.wasm';
import { unpack } from '../core/unpack.ts';
import type { Machine } from './machine.ts';

let compiled: Promise<WebAssembly.Module> | undefined;

/** Adds those kernels to the machine unless it already has them. */
export async function addLazyKernels(machine: Machine): Promise<void> {
  compiled ??= unpack(packed).then(([bytes]) => WebAssembly.compile(bytes!));
  if (!machine.kernels.add) await machine.add(await compiled);
}
