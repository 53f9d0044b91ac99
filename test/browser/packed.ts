/** The packed package, installed once for all tests of this process in a folder that had nothing in it. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { expect } from 'vitest';

export const root = join(import.meta.dirname, '../..');

/** Runs a command and returns what it printed. The tools are those of this repository: nothing is downloaded. */
export function run(command: string, args: string[], cwd: string): string {
  const PATH = [join(root, 'node_modules/.bin'), process.env.PATH].join(delimiter);
  const shell = process.platform === 'win32';
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', env: { ...process.env, PATH }, shell, stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(' ')}\n${stdout}\n${stderr}`);
  }
}

interface Packed {
  readonly tarball: string;
  /** Paths of the files in it. */
  readonly paths: readonly string[];
  /** The folder of the installed package. */
  readonly installed: string;
}

let made: Packed | undefined;

export function packed(): Packed {
  made ??= pack();
  return made;
}

function pack(): Packed {
  const folder = mkdtempSync(join(tmpdir(), 'weightless-packed-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  // What `prepack` does, except for the bundles: they are built, and other tests are reading them.
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts.prepack).toBe(
    'node scripts/build.mjs --types',
  );
  run('tsc', ['-p', 'tsconfig.types.json'], root);
  const [archive] = JSON.parse(
    run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root),
  ) as { filename: string; files: { path: string }[] }[];
  const tarball = join(folder, archive!.filename);
  writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], folder);
  const installed = join(folder, 'node_modules/weightless-gpu');
  return { tarball, paths: archive!.files.map(({ path }) => path), installed };
}

/** A folder with the package in its node_modules, and links to `peers`: package name to the node_modules that has it. */
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
