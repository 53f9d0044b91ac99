/** Writing the safetensors container, which container.ts reads: pages that only predict do without. */
import { encodeUtf8 } from '../core/utf8.ts';

/** A file of these tensors, in their order. Put tensors that have to be aligned to 4 bytes before the others. */
export function writeContainer(
  metadata: Readonly<Record<string, string>>,
  tensors: readonly (readonly [name: string, dtype: string, shape: readonly number[], bytes: Uint8Array])[],
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, dtype, shape, { length }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + length] };
    offset += length;
  }
  const json = encodeUtf8(JSON.stringify(header));
  const padded = Math.ceil(json.length / 8) * 8; // the format wants the data aligned; spaces fill up
  const file = new Uint8Array(8 + padded + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.fill(0x20, 8, 8 + padded);
  file.set(json, 8);
  let at = 8 + padded;
  for (const [, , , bytes] of tensors) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
