/** The IDX format of MNIST and its relatives (unsigned bytes only): http://yann.lecun.com/exdb/mnist, bottom of page. */
import { DataError } from '../core/errors.ts';

export interface IdxArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

/** Parses an IDX file of unsigned bytes. `name` stands in errors. Throws `DataError`. */
export function parseIdx(file: Uint8Array, name: string): IdxArray {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 4 || view.getUint16(0) !== 0 || view.getUint8(2) !== 8) {
    throw new DataError(
      `${name}: expected an IDX file of unsigned bytes (it starts with 00 00 08), got something else`,
    );
  }
  const rank = view.getUint8(3);
  const start = 4 + 4 * rank;
  if (rank < 1 || rank > 4 || file.length < start) {
    throw new DataError(`${name}: expected 1 to 4 dimensions and their sizes, got ${rank} in ${file.length} bytes`);
  }
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = shape.reduce((a, b) => a * b, 1);
  if (file.length !== start + size) {
    throw new DataError(`${name}: expected ${start + size} bytes for shape ${shape.join(' x ')}, got ${file.length}`);
  }
  return { shape, values: file.subarray(start) };
}
