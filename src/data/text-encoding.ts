/** The encoding of a text file, recognised by its bytes. */
import { isUtf8 } from 'node:buffer';
import { DataError } from '../core/errors.ts';
import { refuseGitLfs } from '../core/git-lfs.ts';

export type TextEncoding = 'UTF-8' | 'UTF-16LE' | 'UTF-16BE' | 'Windows-1252';

export interface EncodedText {
  readonly utf8: Uint8Array;
  readonly encoding: TextEncoding;
}

const startsWith = (file: Uint8Array, ...bytes: number[]) => bytes.every((byte, i) => file[i] === byte);

/** The bytes 0x80 to 0x9f of Windows-1252, NUL for those that it leaves undefined; the others are those of Latin-1. */
const HIGH_1252 = '€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ';

/**
 * Reads UTF-8 and UTF-16, each with or without a byte order mark; what is neither is Windows-1252, of which the
 * printable Latin-1 is a part. Throws `DataError` for other encodings and for what is no text.
 */
export function readText(file: Uint8Array, name: string): EncodedText {
  refuseGitLfs(file, name, DataError);
  if (startsWith(file, 0x1f, 0x8b)) throw new DataError(`${name}: expected text, got a gzip file. Unpack it first.`);
  if (startsWith(file, 0x50, 0x4b, 3, 4)) {
    throw new DataError(`${name}: expected text, got a ZIP file or a spreadsheet. Export the sheet as CSV in UTF-8.`);
  }
  if (startsWith(file, 0xff, 0xfe, 0, 0) || startsWith(file, 0, 0, 0xfe, 0xff)) {
    throw new DataError(`${name}: expected UTF-8, UTF-16 or Windows-1252, got UTF-32. Save it as UTF-8.`);
  }
  const utf16 = utf16Of(file);
  if (utf16) return { utf8: recode(file, utf16, name), encoding: utf16 };
  if (isUtf8(file)) return { utf8: startsWith(file, 0xef, 0xbb, 0xbf) ? file.subarray(3) : file, encoding: 'UTF-8' };
  const bad = file.findIndex((byte) => HIGH_1252[byte - 0x80] === '\0');
  if (bad >= 0) {
    throw new DataError(
      `${name}: expected UTF-8, UTF-16 or Windows-1252, got the byte 0x${file[bad]!.toString(16)} at ${bad}, which none of them has ` +
        'there. Save it as UTF-8.',
    );
  }
  // The TextDecoder of Node 20 reads Windows-1252 as Latin-1.
  const latin1 = Buffer.from(file.buffer, file.byteOffset, file.length).toString('latin1');
  const text = latin1.replace(/[\x80-\x9f]/g, (byte) => HIGH_1252[byte.charCodeAt(0) - 0x80]!);
  return { utf8: new TextEncoder().encode(text), encoding: 'Windows-1252' };
}

/** By its mark; or by the zero bytes that every second byte of most texts is. */
function utf16Of(file: Uint8Array): 'UTF-16LE' | 'UTF-16BE' | undefined {
  if (startsWith(file, 0xff, 0xfe)) return 'UTF-16LE';
  if (startsWith(file, 0xfe, 0xff)) return 'UTF-16BE';
  const zeros = [0, 0];
  const sample = file.subarray(0, 1024);
  for (const [i, byte] of sample.entries()) if (byte === 0) zeros[i % 2]!++;
  const many = sample.length / 4;
  if (file.length % 2 !== 0 || file.length < 4) return undefined;
  if (zeros[1]! > many && zeros[0] === 0) return 'UTF-16LE';
  return zeros[0]! > many && zeros[1] === 0 ? 'UTF-16BE' : undefined;
}

function recode(file: Uint8Array, encoding: TextEncoding, name: string): Uint8Array {
  try {
    return new TextEncoder().encode(new TextDecoder(encoding, { fatal: true }).decode(file));
  } catch {
    throw new DataError(`${name}: expected valid ${encoding}, got other bytes. Save it as UTF-8.`);
  }
}
