/**
 * The IDX format of MNIST and its relatives (unsigned bytes only): http://yann.lecun.com/exdb/mnist, bottom of page.
 */
import { DataError } from '../core/errors.ts';

export interface IdxArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

const MOST_DIMENSIONS = 4;

/** The header of a file with as many dimensions as are read. */
export const MOST_IDX_HEADER_BYTES = 4 + 4 * MOST_DIMENSIONS;

/** The shape that the start of a file declares. Throws `DataError`. */
function shapeOf(start: Uint8Array, name: string): number[] {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  if (start.length < 4 || view.getUint16(0) !== 0 || view.getUint8(2) !== 8) {
    throw new DataError(
      `${name}: expected an IDX file of unsigned bytes (it starts with 00 00 08), got something else`,
    );
  }
  const rank = view.getUint8(3);
  if (rank < 1 || rank > MOST_DIMENSIONS || start.length < 4 + 4 * rank) {
    throw new DataError(
      `${name}: expected 1 to ${MOST_DIMENSIONS} dimensions and their sizes, got ${rank} in ${start.length} bytes`,
    );
  }
  return Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
}

/** Bytes of the whole file, as its first `MOST_IDX_HEADER_BYTES` declare them. Throws `DataError`. */
export function idxBytes(start: Uint8Array, name: string): number {
  const shape = shapeOf(start, name);
  return shape.reduce((a, b) => a * b, 1) + 4 + 4 * shape.length;
}

/** Parses an IDX file of unsigned bytes. `name` stands in errors. Throws `DataError`. */
export function parseIdx(file: Uint8Array, name: string): IdxArray {
  const shape = shapeOf(file, name);
  const bytes = idxBytes(file, name);
  if (file.length !== bytes) {
    throw new DataError(`${name}: expected ${bytes} bytes for shape ${shape.join(' x ')}, got ${file.length}`);
  }
  return { shape, values: file.subarray(4 + 4 * shape.length) };
}
