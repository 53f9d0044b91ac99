/** The kernels of wasm/later.ts, compiled once for all machines. */
import packed from '../../wasm/later.wasm';
import { unpack } from '../core/unpack.ts';
import type { Machine } from './machine.ts';

let compiled: Promise<WebAssembly.Module> | undefined;

/** Adds those kernels to the machine unless it already has them. */
export async function addLater(machine: Machine): Promise<void> {
  compiled ??= unpack(packed).then(([bytes]) => WebAssembly.compile(bytes!));
  if (!machine.kernels.add) await machine.add(await compiled);
}
