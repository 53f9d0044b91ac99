/** What lies in a folder: for Node. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { sorted } from './names.ts';

/** Files that operating systems leave behind. */
const IGNORED = /^\.|^(thumbs\.db|desktop\.ini)$/i;

/** Folders and files in a folder, links followed, by name. Throws `DataError`. */
export async function listFolder(directory: string): Promise<{ folders: string[]; files: string[] }> {
  const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
    throw new DataError(`${directory}: expected a folder, could not read it: ${error.code ?? error.message}`);
  });
  const folders: string[] = [];
  const files: string[] = [];
  for (const name of sorted(names.filter((one) => !IGNORED.test(one)))) {
    const kind = await stat(join(directory, name)).catch(() => undefined); // a link into nothing is neither
    if (kind?.isDirectory()) folders.push(name);
    else if (kind?.isFile()) files.push(name);
  }
  return { folders, files };
}
