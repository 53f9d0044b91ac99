/** The compiled CPU kernels, once for all machines and threads. */
import bytes from '../../wasm/index.wasm';

let compiled: Promise<WebAssembly.Module> | undefined;

export function kernelModule(): Promise<WebAssembly.Module> {
  compiled ??= WebAssembly.compile(bytes);
  return compiled;
}
