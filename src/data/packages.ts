/**
 * Files from public packages, installed on the system or downloaded once into a cache; each is checked by its SHA-256.
 * For Node.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DataError } from '../core/errors.ts';
import { cacheFolder } from '../core/files.ts';
import { limits } from './limits.ts';

export interface PackagedFile {
  /** Stands in errors. */
  readonly title: string;
  readonly kind: 'debian' | 'npm';
  readonly name: string;
  /** Of an npm package. A Debian package is identified by the hash of its file. */
  readonly version?: string;
  /** Path inside the unpacked package. */
  readonly path: string;
  readonly sha256: string;
  /** Where to find it by hand. */
  readonly home: string;
}

/** Where Debian installs packages. */
const SYSTEM = '/';

export interface Places {
  readonly system?: string;
  readonly cache?: string;
}

/** Throws `DataError` that says where to get the file. */
export function packagedFile(file: PackagedFile, say: (line: string) => void, places: Places = {}): Uint8Array {
  const { title, kind, name, path, sha256, home } = file;
  const folder = join(
    places.cache ?? join(cacheFolder(), 'weightless', 'data'),
    `${kind}-${name}`.replace(/[^\w.-]+/g, '-'),
  );
  const system = join(places.system ?? SYSTEM, path);
  const found = kind === 'debian' && existsSync(system) ? system : join(folder, path);
  const hint = `Or unpack ${home} into ${folder}, so that ${join(folder, path)} is there.`;
  if (!existsSync(found)) {
    say(`${title}: fetching the ${kind === 'npm' ? 'npm' : 'Debian'} package ${name} into ${folder}`);
    fetchPackage(file, folder, hint);
    if (!existsSync(found)) {
      throw new DataError(`${title}: expected ${path} in the package ${name}, found none. ${hint}`);
    }
  }
  const bytes = readWithin(found, title);
  const got = createHash('sha256').update(bytes).digest('hex');
  if (got === sha256) return bytes;
  throw new DataError(
    `${title}: expected SHA-256 ${sha256} of ${found}, got ${got}. It is damaged or of another version: remove it to download it again. ${hint}`,
  );
}

function readWithin(path: string, title: string): Uint8Array {
  const { size } = statSync(path);
  if (size <= limits.packageBytes) return readFileSync(path);
  throw new DataError(
    `${title}: expected ${path} to have at most ${limits.packageBytes} bytes, got ${size}. Remove it to download it again.`,
  );
}

/** Downloads and unpacks into a temporary folder, then renames it: an interruption leaves no partial package. */
function fetchPackage({ title, kind, name, version }: PackagedFile, folder: string, hint: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(`${folder}.`);
  const attempt = (command: string, args: readonly string[], input?: Uint8Array) => {
    const shell = process.platform === 'win32' && command === 'npm';
    return spawnSync(command, args, { cwd: temporary, shell, maxBuffer: limits.packageBytes, ...(input && { input }) });
  };
  const run = (command: string, args: readonly string[], input?: Uint8Array): Uint8Array => {
    const { status, error, stdout, stderr } = attempt(command, args, input);
    if (status === 0) return stdout;
    const why = error?.message ?? String(stderr).trim().split('\n').slice(-3).join(' ');
    throw new DataError(`${title}: expected '${command} ${args.join(' ')}' to succeed, got: ${why}. ${hint}`);
  };
  /** The tar archive inside: unpacked in memory, where its size has an end, and only then on the disk. */
  const archive = (): Uint8Array => {
    if (kind === 'debian') return run('dpkg-deb', ['--fsys-tarfile', packed(temporary, '.deb')]);
    const file = readWithin(join(temporary, packed(temporary, '.tgz')), title);
    try {
      return gunzipSync(file, { maxOutputLength: limits.packageBytes });
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
      throw new DataError(
        `${title}: expected a gzip file of at most ${limits.packageBytes} bytes unpacked, got ${why}. ${hint}`,
      );
    }
  };
  try {
    const files = join(temporary, 'files');
    mkdirSync(files);
    if (kind === 'debian') {
      // A fresh system has no package lists yet; root may download them.
      const listed = attempt('apt-cache', ['show', name]).status === 0;
      if (!listed && process.getuid?.() === 0) attempt('apt-get', ['update', '-qq']);
      run('apt-get', ['download', '-q', name]);
    } else {
      run('npm', ['pack', '--silent', `${name}@${version}`]);
    }
    run('tar', ['-xf', '-', '-C', 'files'], archive());
    rmSync(folder, { recursive: true, force: true });
    renameSync(files, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const packed = (folder: string, end: string) => readdirSync(folder).find((file) => file.endsWith(end)) ?? `*${end}`;
