/** The packed package, installed once for all tests of this process in a folder that had nothing in it. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** The tools are those of this repository: nothing is downloaded. */
function spawn(command: string, args: readonly string[], cwd: string) {
  const PATH = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const shell = process.platform === 'win32';
  return spawnSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, PATH }, shell });
}

/** Runs a command and returns what it printed. */
export function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawn(command, args, cwd);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Runs a command that is to fail and returns what it printed on standard error. */
export function failure(command: string, args: readonly string[], cwd: string): string {
  const { status, stderr } = spawn(command, args, cwd);
  if (status === 0) throw new Error(`${command} ${args.join(' ')}: expected it to fail`);
  return stderr;
}

interface Packed {
  readonly tarball: string;
  /** Paths of the files in it. */
  readonly paths: readonly string[];
  /** The folder that it is installed in. */
  readonly folder: string;
  /** The folder of the installed package. */
  readonly installed: string;
}

let made: Packed | undefined;

export function packed(): Packed {
  made ??= pack();
  return made;
}

function pack(): Packed {
  // `prepack` would build again, while other tests read dist/.
  const { prepack } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts;
  if (prepack !== 'node scripts/build.mjs --types' || !existsSync(join(root, 'dist/types')))
    throw new Error(`expected dist/ as prepack makes it. Run: node scripts/build.mjs --types`);
  const folder = mkdtempSync(join(tmpdir(), 'weightless-packed-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const [archive] = JSON.parse(
    run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root),
  ) as { filename: string; files: { path: string }[] }[];
  const tarball = join(folder, archive!.filename);
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], folder);
  const installed = join(folder, 'node_modules/weightless-gpu');
  return { tarball, paths: archive!.files.map(({ path }) => path), folder, installed };
}

/** Makes a folder with the package and links to `peers` (package name to the node_modules that has it). */
export function projectFolder(place: string, peers: Record<string, string> = {}): string {
  mkdirSync(join(place, 'node_modules'), { recursive: true });
  cpSync(packed().installed, join(place, 'node_modules/weightless-gpu'), { recursive: true });
  for (const [name, modules] of Object.entries(peers)) {
    mkdirSync(dirname(join(place, 'node_modules', name)), { recursive: true });
    symlinkSync(join(root, modules, name), join(place, 'node_modules', name), 'junction');
  }
  writeFileSync(join(place, 'package.json'), '{ "private": true, "type": "module" }');
  return place;
}
