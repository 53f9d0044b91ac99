/** The packed package, installed in an empty folder. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Packed {
  /** An empty folder of this test's own. */
  readonly folder: string;
  /** The tarball. */
  readonly tarball: string;
  /** Paths in the tarball. */
  readonly paths: readonly string[];
}

/** Packs as `npm pack` does, except that dist/ is as it was built: other tests read it. */
export function pack(): Packed {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  if (scripts.prepack !== 'node scripts/build.mjs --types' || !existsSync(join(root, 'dist/types')))
    throw new Error(`expected dist/ as prepack builds it; run: node scripts/build.mjs --types`);
  const folder = mkdtempSync(join(tmpdir(), 'weightless-package-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [{ filename, files }] = JSON.parse(
    run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root),
  );
  return { folder, tarball: join(folder, filename), paths: files.map(({ path }: { path: string }) => path) };
}

/** Installs the tarball in a new folder, whose package.json has these fields too. Nothing is downloaded. */
export function install({ folder, tarball }: Packed, name: string, fields: object = {}): string {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), JSON.stringify({ private: true, ...fields }));
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], place);
  return place;
}

const shell = process.platform === 'win32';
/** This repository's tools come first. */
const environment = () => ({
  ...process.env,
  PATH: [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter),
});

/** What a command prints. Throws with all its output when it fails. */
export function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', env: environment(), shell, stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
}

/** What a command that fails prints on standard error. */
export function failure(command: string, args: readonly string[], cwd: string): string {
  const { status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', env: environment(), shell });
  if (status === 0) throw new Error(`${command} ${args.join(' ')}: expected a failure`);
  return stderr;
}
