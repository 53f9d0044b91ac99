/**
 * What the export needs of protobuf (https://protobuf.dev/programming-guides/encoding): three kinds of fields, written as a list
 * of pieces, of which long ones are made when they are written. Libraries build a message whole in memory, and a matrix of weights
 * need not fit there.
 */
import { encodeUtf8 } from '../core/utf8.ts';

/** Bytes, or so many that are made on demand, in parts. */
export type Piece =
  | Uint8Array<ArrayBuffer>
  | { readonly byteLength: number; readonly parts: () => Iterable<Uint8Array<ArrayBuffer>> };

/** The fields of a message, in order. */
export type Message = readonly Piece[];

export const byteLength = (message: Message): number => message.reduce((sum, piece) => sum + piece.byteLength, 0);

/** A base-128 varint: an integer from 0 to 2^53 - 1. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) | 128);
  return [...bytes, value];
}

const VARINT = 0;
const LENGTH = 2;
const FIXED_32 = 5;
const tag = (field: number, kind: number) => varint(8 * field + kind);

export const integer = (field: number, value: number): Message => [
  Uint8Array.from([...tag(field, VARINT), ...varint(value)]),
];

export function float(field: number, value: number): Message {
  const bytes = new DataView(new ArrayBuffer(4));
  bytes.setFloat32(0, value, true);
  return [Uint8Array.from([...tag(field, FIXED_32), ...new Uint8Array(bytes.buffer)])];
}

/** A message within a message, or plain bytes. */
export const nested = (field: number, ...parts: readonly Message[]): Message => {
  const length = parts.reduce((sum, part) => sum + byteLength(part), 0);
  return [Uint8Array.from([...tag(field, LENGTH), ...varint(length)]), ...parts.flat()];
};

export const text = (field: number, value: string): Message => nested(field, [encodeUtf8(value)]);

/** The bytes of a message, small ones gathered to 64 KiB. */
export function* encoded(message: Message): Generator<Uint8Array<ArrayBuffer>, void, void> {
  const gathered = new Uint8Array(2 ** 16);
  let used = 0;
  for (const piece of message) {
    for (const bytes of ArrayBuffer.isView(piece) ? [piece] : piece.parts()) {
      if (used + bytes.length > gathered.length) {
        yield gathered.slice(0, used);
        used = 0;
      }
      if (bytes.length > gathered.length / 2) {
        if (used) yield gathered.slice(0, used);
        used = 0;
        yield bytes;
      } else {
        gathered.set(bytes, used);
        used += bytes.length;
      }
    }
  }
  if (used) yield gathered.slice(0, used);
}
