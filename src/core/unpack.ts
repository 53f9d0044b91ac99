/** Unpacks the modules that scripts/wasm.mjs packed. */

/**
 * Modules are deflated before base64, because gzip saves only a quarter of base64 text: a page would load 3 kB more.
 */
export async function unpack(packed: string): Promise<ArrayBuffer[]> {
  const deflated = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate'));
  const bytes = await new Response(stream).arrayBuffer();
  const modules: ArrayBuffer[] = [];
  for (let at = 0; at < bytes.byteLength; ) {
    const start = at + 4;
    at = start + new DataView(bytes).getUint32(at, true);
    modules.push(bytes.slice(start, at));
  }
  return modules;
}
