/** Unpacks the modules that scripts/wasm.mjs packed. */
import { nodeModule } from '../core/node-modules.ts';

interface Zlib {
  inflateSync(deflated: Uint8Array): Uint8Array;
}

/** Node inflates by zlib: jsdom, which tests of pages run in, lacks the streams of a page. */
async function inflate(deflated: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  const zlib = nodeModule<Zlib>('node:zlib');
  if (zlib) return new Uint8Array(zlib.inflateSync(deflated)).buffer;
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Response(stream).arrayBuffer();
}

/**
 * Modules are deflated before base64, because gzip saves only a quarter of base64 text: a page would load 3 kB more.
 */
export async function unpack(packed: string): Promise<ArrayBuffer[]> {
  const deflated = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const bytes = await inflate(deflated);
  const modules: ArrayBuffer[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const start = at + 4;
    at = start + new DataView(bytes).getUint32(at, true);
    modules.push(bytes.slice(start, at));
  }
  return modules;
}
