/** Files in Node: read whole, and written whole or not at all. */
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { DataError } from './errors.ts';

export async function readInput(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(`${path}: expected a file, could not read it: ${error.code ?? error.message}`);
  });
}

/** Writes beside the target, then renames over it: an interruption leaves the old file or the new one. */
export async function writeWhole(path: string, data: Uint8Array | string | Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, data);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
