/** Text and files as an attacker would make them. */

/** Retitles the window, turns text red, clears the screen by the one-byte CSI of C1, reverses the reading direction. */
export const hostile = '\u001b]0;owned\u0007\u001b[31mred\u001b[0m\u009b2J\u202e';

/** A safetensors file of this header. */
export function fileOf(header: object): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + json.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  return file;
}
