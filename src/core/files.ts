/** File access in Node: files are read whole, and written whole or not at all. */
import { randomBytes } from 'node:crypto';
import { open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { DataError } from './errors.ts';

export async function readInput(path: string): Promise<Uint8Array> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(`${path}: expected a file, could not read it: ${error.code ?? error.message}`);
  });
}

/**
 * Writes a temporary file and renames it over the target: an interruption leaves either the old file or the new one.
 */
export async function writeWhole(path: string, data: Uint8Array | string | Iterable<Uint8Array>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'w');
    try {
      const whole = typeof data === 'string' || data instanceof Uint8Array;
      for (const part of whole ? [data] : data) await file.writeFile(part); // continues where the last part ended
      await file.sync(); // otherwise a crash could leave the new name without the data
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Removes temporary files that killed processes left behind. No other process may be writing this file. */
export async function removeUnfinished(path: string): Promise<void> {
  const name = basename(path);
  for (const found of await readdir(dirname(path))) {
    const unfinished = found.startsWith(`${name}.`) && /^\.[0-9a-f]{12}\.tmp$/.test(found.slice(name.length));
    if (unfinished) await rm(join(dirname(path), found), { force: true });
  }
}

/** The user's cache folder. */
export function cacheFolder(): string {
  if (process.env.XDG_CACHE_HOME) return process.env.XDG_CACHE_HOME;
  if (process.platform === 'win32') return process.env.LOCALAPPDATA ?? join(homedir(), 'AppData/Local');
  return join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
}
