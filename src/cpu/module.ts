/** The compiled CPU kernels, once for all machines and threads. */
import packed from '../../wasm/index.wasm';

let compiled: Promise<WebAssembly.Module> | undefined;

export function kernelModule(): Promise<WebAssembly.Module> {
  compiled ??= unpacked().then((bytes) => WebAssembly.compile(bytes));
  return compiled;
}

/** Deflated before it became base64: of that, gzip takes off no more than a quarter, so a page would load 3 kB more. */
function unpacked(): Promise<ArrayBuffer> {
  const deflated = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  return new Response(new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate'))).arrayBuffer();
}
