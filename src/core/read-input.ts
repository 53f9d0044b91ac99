/** Reads files of users, devices and pipes up to a limit. For Node. */
import { type FileHandle, open } from 'node:fs/promises';
import { DataError } from './errors.ts';

/** The most bytes that a device or a pipe gives: nobody knows beforehand how many will come. */
const MOST_STREAMED = 2 ** 26;

/** Bytes that `check` sees. */
const START_BYTES = 2 ** 20;

/** One read takes at most this many bytes. */
const READ_BYTES = 2 ** 30;

/**
 * The bytes of a file of at most `most` bytes, of a device or a pipe of at most 64 MiB. `check` gets the first MiB and, of
 * a file, its size: it may throw before the rest is read. Throws `DataError`.
 */
export async function readInput(
  path: string,
  most: number,
  check?: (start: Uint8Array, fileBytes: number | undefined) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const file = await open(path);
    try {
      return await readWithin(file, path, most, check);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new DataError(`${path}: expected a file, could not read it: ${code}`);
  }
}

async function readWithin(
  file: FileHandle,
  path: string,
  most: number,
  check: Parameters<typeof readInput>[2],
): Promise<Uint8Array<ArrayBuffer>> {
  const found = await file.stat();
  const size = found.isFile() ? found.size : 0;
  const limit = size ? most : Math.min(most, MOST_STREAMED); // the files of /proc have no size either
  const expectWithin = (bytes: number, got: string) => {
    if (bytes <= limit) return;
    const where = size ? '' : ' from a device or a pipe';
    throw new DataError(`${path}: expected at most ${limit} bytes${where}, got ${got}. Is it the right file?`);
  };
  expectWithin(size, `${size}`);
  let bytes = new Uint8Array(Math.min(size || START_BYTES, START_BYTES));
  let loaded = 0;
  let checked = false;
  for (;;) {
    const { bytesRead } = await file.read(bytes, loaded, Math.min(bytes.length - loaded, READ_BYTES));
    loaded += bytesRead;
    if (!checked && (bytesRead === 0 || loaded === bytes.length)) {
      check?.(bytes.subarray(0, loaded), size || undefined);
      checked = true;
    }
    if (bytesRead === 0) return bytes.subarray(0, loaded);
    if (loaded < bytes.length) continue;
    expectWithin(loaded, 'more');
    // One byte more than expected: the read that fills nothing of it ends the file.
    const larger = new Uint8Array(Math.max(size + 1, Math.min(2 * loaded, limit + 1)));
    larger.set(bytes);
    bytes = larger;
  }
}
