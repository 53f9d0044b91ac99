/** Unpacks a gzipped IDX file to the size that its header declares and no further: for Node. */
import { constants, gunzipSync } from 'node:zlib';
import { DataError } from '../core/errors.ts';
import { idxBytes, MOST_IDX_HEADER_BYTES } from './idx.ts';
import { BEST_DEFLATE_RATIO, limits } from './limits.ts';

export const isGzip = (file: Uint8Array): boolean => file[0] === 0x1f && file[1] === 0x8b;

/** Packed bytes that hold the header of the IDX file, behind that of gzip: unpacked at most 8 MiB. */
const START_BYTES = 2 ** 13;

/** Throws `DataError`. */
export function gunzipIdx(packed: Uint8Array, name: string): Uint8Array {
  const unpack = (bytes: Uint8Array, options: Parameters<typeof gunzipSync>[1]) => {
    try {
      return gunzipSync(bytes, options);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      throw new DataError(
        `${name}: expected a gzip file, could not unpack it: ${reason}. It is damaged: get it again.`,
      );
    }
  };
  let start = unpack(packed.subarray(0, START_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  // A file that ends early is named as damaged, and not by what is missing in it.
  if (start.length < MOST_IDX_HEADER_BYTES) start = unpack(packed, { maxOutputLength: START_BYTES });
  const declared = idxBytes(start.subarray(0, MOST_IDX_HEADER_BYTES), name);
  if (declared > Math.min(limits.idxBytes, BEST_DEFLATE_RATIO * packed.length)) {
    throw new DataError(
      `${name}: expected at most ${limits.idxBytes} bytes, and no more than its ${packed.length} packed bytes can hold; ` +
        `got a header that declares ${declared}`,
    );
  }
  // With room for all in one piece, zlib does not copy the output a second time.
  return unpack(packed, { maxOutputLength: declared, chunkSize: declared + 64 });
}
