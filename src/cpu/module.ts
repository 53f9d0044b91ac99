/** The compiled CPU kernels, once for all machines and threads. */
import packed from '../../wasm/index.wasm';

/** What a machine needs; threads are sent it. */
export interface KernelModules {
  /** wasm/index.ts. */
  readonly strict: WebAssembly.Module;
  /** wasm/relaxed.ts, where its instructions exist and are as fast as they should be: some kernels again, with the same results. */
  readonly relaxed?: WebAssembly.Module;
}

let compiled: Promise<KernelModules> | undefined;

export function kernelModules(): Promise<KernelModules> {
  compiled ??= compile();
  return compiled;
}

async function compile(): Promise<KernelModules> {
  const bytes = await unpacked();
  const end = 4 + new DataView(bytes).getUint32(0, true);
  const [strict, relaxed] = await Promise.all([
    WebAssembly.compile(bytes.slice(4, end)),
    compileRelaxed(bytes.slice(end)).catch(() => undefined), // no relaxed SIMD here
  ]);
  return { strict, ...(relaxed && { relaxed }) };
}

async function compileRelaxed(bytes: ArrayBuffer): Promise<WebAssembly.Module | undefined> {
  const module = await WebAssembly.compile(bytes);
  const { exports } = await WebAssembly.instantiate(module, {
    env: { memory: new WebAssembly.Memory({ initial: 1 }) },
  });
  return (exports.isAsOnX86 as () => number)() ? module : undefined;
}

/** Deflated before it became base64: of that, gzip takes off no more than a quarter, so a page would load 3 kB more. */
function unpacked(): Promise<ArrayBuffer> {
  const deflated = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  return new Response(new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate'))).arrayBuffer();
}
