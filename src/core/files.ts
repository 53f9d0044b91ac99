/** Files in Node, written whole or not at all. */
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, type Stats, writeFileSync } from 'node:fs';
import {
  access,
  constants,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { homedir, hostname, tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { WriteError } from './errors.ts';
import { isAlive } from './processes.ts';

/** What a file is to hold; a function makes the parts of a large one anew for each attempt. */
export type Content = Uint8Array | string | (() => Iterable<Uint8Array>);

/**
 * Writes a temporary file beside the target, flushes it to the disk and renames it over the target: an interruption leaves
 * the old file or the new one. Symbolic links are followed, and an existing file keeps its mode and, where permitted, its
 * owner. A device, a pipe or a socket is written to, never replaced; so is a file whose folder admits no other file.
 * Throws `WriteError`.
 */
export async function writeWhole(path: string, content: Content): Promise<void> {
  try {
    const target = await targetOf(path);
    if (target.special) await writeInPlace(path, content);
    else await replace(target, content);
  } catch (error) {
    throw writeError(path, error);
  }
}

/** Whether `writeWhole` could write there now: asked before work whose result goes there. Throws `WriteError`. */
export async function checkWritable(path: string): Promise<void> {
  try {
    const target = await targetOf(path);
    if (target.special) return;
    const probe = temporaryName(target.path);
    try {
      const file = await open(probe, 'wx');
      try {
        await file.writeFile('x');
        await file.sync(); // some file systems notice only now that they are full
      } finally {
        await file.close();
        await rm(probe, { force: true });
      }
    } catch (error) {
      if (!target.old || !folderRefuses(error)) throw error;
    }
  } catch (error) {
    throw writeError(path, error);
  }
}

/** Creates the folder that a file is to be in. Throws `WriteError`. */
export async function makeFolderOf(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw writeError(path, error.code === 'EEXIST' ? codeError('ENOTDIR') : error);
  });
}

/**
 * Writes what took long to compute. Where that fails, the content goes to a temporary folder and the `WriteError` names it.
 */
export async function writeResult(path: string, content: Content): Promise<void> {
  try {
    await writeWhole(path, content);
  } catch (error) {
    if (!(error instanceof WriteError)) throw error;
    throw new WriteError(`${error.message} ${rescueText(rescue(path, content))}`);
  }
}

/** Writes content into a new temporary folder and returns the file's path; undefined where no folder takes it. */
export function rescue(path: string, content: Content): string | undefined {
  for (const place of [tmpdir(), homedir(), process.cwd()]) {
    let folder: string | undefined;
    try {
      folder = mkdtempSync(join(place, 'weightless-'));
      const file = join(folder, basename(path).slice(-100) || 'result');
      const descriptor = openSync(file, 'wx');
      try {
        for (const part of partsOf(content)) writeFileSync(descriptor, part);
        fsyncSync(descriptor);
      } finally {
        closeSync(descriptor);
      }
      return file;
    } catch {
      if (folder) rmSync(folder, { recursive: true, force: true });
    }
  }
  return undefined;
}

/** What to do about a result that could not be written to its place. */
export const rescueText = (file: string | undefined): string =>
  file === undefined ? 'No temporary folder could take the result either: it is lost.' : `The result is in ${file}.`;

/** The error as users read it. Throws what is no error of the file system. */
export function writeError(path: string, error: unknown): WriteError {
  if (error instanceof WriteError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) throw error;
  const [problem, advice] = problems[code] ?? [`${code} (${message})`, 'Name another file.'];
  const folder = dirname(path);
  return new WriteError(
    `${path}: could not write there: ${problem.replace('FOLDER', folder)}. ${advice.replace('FOLDER', folder)}`,
  );
}

const problems: Readonly<Record<string, readonly [problem: string, advice: string]>> = {
  ENOENT: ['expected an existing folder FOLDER, found none', 'Create it, or name another file.'],
  ENOTDIR: ['expected FOLDER to be a folder, got a file', 'Name a file in a folder.'],
  EISDIR: ['expected a file, got a folder', 'Add the name of a file.'],
  EACCES: ['permission denied', 'Change the permissions, or name another file.'],
  EPERM: ['operation not permitted', 'Change the permissions, or name another file.'],
  EROFS: ['the file system is read-only', 'Name a file elsewhere.'],
  ENOSPC: ['no space is left on the device', 'Free some space, or name a file elsewhere.'],
  EDQUOT: ['the disk quota is used up', 'Free some space, or name a file elsewhere.'],
  EFBIG: ['the file would be larger than the system allows', 'Name a file elsewhere.'],
  ENAMETOOLONG: ['the name is too long', 'Name another file.'],
  ELOOP: ['its symbolic links lead in a circle', 'Name another file.'],
};

/** Where a path leads. */
interface Target {
  /** Symbolic links resolved. */
  readonly path: string;
  /** The file that is there, if there is one. */
  readonly old?: Stats;
  /** A device, a pipe or a socket. */
  readonly special?: boolean;
}

const codeError = (code: string) => Object.assign(new Error(code), { code });

async function targetOf(path: string): Promise<Target> {
  if (path === '') throw new WriteError('expected the name of a file, got an empty one. Name the file to write.');
  const old = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return undefined;
  });
  if (!old) {
    if (/[/\\]$/.test(path)) throw codeError('EISDIR');
    return { path: await absentPath(path) };
  }
  if (old.isDirectory()) throw codeError('EISDIR');
  await access(path, constants.W_OK); // a rename would replace a read-only file all the same
  return old.isFile() ? { path: await realpath(path), old } : { path, special: true };
}

/** The path of a file that does not exist yet: a symbolic link may point to it. */
async function absentPath(path: string): Promise<string> {
  const folder = await realpath(dirname(path));
  const here = join(folder, basename(path));
  const isLink = await lstat(here).then(
    (found) => found.isSymbolicLink(),
    () => false,
  );
  return isLink ? absentPath(resolve(folder, await readlink(here))) : here;
}

/** The folder takes no new file, or no rename (a file that is a mount point): the file itself may still be writable. */
const folderRefuses = (error: unknown): boolean =>
  ['EACCES', 'EPERM', 'EROFS', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '');

async function replace({ path, old }: Target, content: Content): Promise<void> {
  await removeUnfinished(path);
  const temporary = temporaryName(path);
  try {
    const file = await open(temporary, 'wx', old ? 0o600 : 0o666);
    try {
      await writeParts(file, content);
      if (old) await keepOwnerAndMode(file, old);
      await file.sync(); // else a machine that stops now could keep the new name and not the bytes
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    if (!old || !folderRefuses(error)) throw error;
    await writeInPlace(path, content);
  }
}

async function keepOwnerAndMode(file: FileHandle, old: Stats): Promise<void> {
  const { uid, gid } = await file.stat();
  if (uid !== old.uid || gid !== old.gid) await file.chown(old.uid, old.gid).catch(() => {}); // only root may always
  await file.chmod(old.mode & 0o7777).catch(() => {}); // after the owner, whose change clears bits; FAT has no modes
}

async function writeInPlace(path: string, content: Content): Promise<void> {
  const file = await open(path, 'w');
  try {
    await writeParts(file, content);
  } finally {
    await file.close();
  }
}

const partsOf = (content: Content): Iterable<Uint8Array | string> =>
  typeof content === 'function' ? content() : [content];

/** Each part goes where the last one ended. */
async function writeParts(file: FileHandle, content: Content): Promise<void> {
  for (const part of partsOf(content)) await file.writeFile(part);
}

/** Tells machines that share a folder apart. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** Names may have 255 bytes: the temporary name of a longer one starts with its hash. */
const stemOf = (path: string): string => {
  const name = basename(path);
  return Buffer.byteLength(name) <= 200 ? name : createHash('sha256').update(name).digest('hex').slice(0, 32);
};

const temporaryName = (path: string): string =>
  join(dirname(path), `${stemOf(path)}.${machine}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);

/** No write takes this long, in milliseconds. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000;

/** Removes what killed processes left when they wrote this file: of this machine at once, of others after a day. */
export async function removeUnfinished(path: string): Promise<void> {
  const stem = stemOf(path);
  for (const name of await readdir(dirname(path)).catch(() => [])) {
    if (!name.startsWith(`${stem}.`)) continue;
    const [, where, pid] = /^\.([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.tmp$/.exec(name.slice(stem.length)) ?? [];
    if (pid === undefined) continue;
    const file = join(dirname(path), name);
    const age = async () => Date.now() - (await stat(file).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    const dead = where === machine && !isAlive(Number(pid));
    if (dead || (await age()) > ABANDONED_AFTER) await rm(file, { force: true }).catch(() => {});
  }
}

/** The user's cache folder. */
export function cacheFolder(): string {
  if (process.env.XDG_CACHE_HOME) return process.env.XDG_CACHE_HOME;
  if (process.platform === 'win32') return process.env.LOCALAPPDATA ?? join(homedir(), 'AppData/Local');
  return join(homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache');
}
