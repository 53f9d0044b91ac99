/** Unpacks a gzipped IDX file to the size that its header declares and no further: for Node. */
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DataError } from '../core/errors.ts';
import { idxBytes, MOST_IDX_HEADER_BYTES } from './idx.ts';
import { limits } from './limits.ts';

export const isGzip = (file: Uint8Array): boolean => file[0] === 0x1f && file[1] === 0x8b;

/** Deflate packs no better than this. */
const BEST_DEFLATE_RATIO = 1032;

/** Throws `DataError`. */
export async function gunzipIdx(packed: Uint8Array, name: string): Promise<Uint8Array> {
  let start = new Uint8Array();
  let out: Uint8Array | undefined;
  let at = 0;
  const put = (piece: Uint8Array) => {
    if (at + piece.length > out!.length) throw new DataError(`${name}: expected ${out!.length} bytes, got more`);
    out!.set(piece, at);
    at += piece.length;
  };
  const open = () => {
    const declared = idxBytes(start, name);
    if (declared > Math.min(limits.idxBytes, BEST_DEFLATE_RATIO * packed.length)) {
      throw new DataError(
        `${name}: expected at most ${limits.idxBytes} bytes, and no more than its ${packed.length} packed bytes can hold; ` +
          `got a header that declares ${declared}`,
      );
    }
    out = new Uint8Array(declared);
    put(start);
  };
  try {
    for await (const piece of Readable.from([packed]).pipe(createGunzip({ chunkSize: 2 ** 16 }))) {
      if (out) put(piece);
      else {
        start = Uint8Array.from([...start, ...(piece as Uint8Array)]); // at most twice: the first piece nearly always has it all
        if (start.length >= MOST_IDX_HEADER_BYTES) open();
      }
    }
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(
      `${name}: expected a gzip file, could not unpack it: ${(error as Error).message}. It is damaged.`,
    );
  }
  if (!out) open();
  return out!.subarray(0, at);
}
