/** The import rule: the table in ARCHITECTURE.md ranks every folder, and a file imports only from its own rank or from one above it in that table. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');

interface Import {
  readonly from: string;
  readonly to: string;
}

/** Places by rank, longest path first, so that `src/ops.ts` wins over `src/`. */
function ranksOf(markdown: string): (readonly [place: string, rank: number])[] {
  const rows = [...markdown.matchAll(/^\| (\d+) \| (`.+?`) \|/gm)];
  return rows
    .flatMap(([, rank, places]) =>
      [...places!.matchAll(/`([^`]+)`/g)].map(([, place]) => [place!, Number(rank)] as const),
    )
    .sort(([a], [b]) => b.length - a.length);
}

const ranks = ranksOf(readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8'));

function rankOf(file: string): number {
  const found = ranks.find(([place]) => (place.endsWith('/') ? file.startsWith(place) : file === place));
  if (!found) throw new Error(`${file}: expected a row of ARCHITECTURE.md that ranks it, found none`);
  return found[1];
}

const sources = (folder: string, from = root): string[] =>
  readdirSync(join(from, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));

/** Every import of a TypeScript file, types and dynamic ones too. */
function importsOf(file: string, from = root): Import[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(from, file), 'utf8'), true, true);
  return importedFiles
    .filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => ({ from: file, to: normalize(join(dirname(file), fileName)) }));
}

const upward = (imports: readonly Import[]) => imports.filter(({ from, to }) => rankOf(to) > rankOf(from));

/** Files that import each other, directly or through others. */
function cycles(imports: readonly Import[]): string[][] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const order = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    low.set(file, order.get(file)!);
    stack.push(file);
    for (const to of next.get(file) ?? []) {
      if (!order.has(to)) visit(to);
      if (stack.includes(to)) low.set(file, Math.min(low.get(file)!, low.get(to)!));
    }
    if (low.get(file) !== order.get(file)) return;
    const group = stack.splice(stack.indexOf(file));
    if (group.length > 1) found.push(group.sort());
  };
  for (const file of next.keys()) if (!order.has(file)) visit(file);
  return found;
}

const line = ({ from, to }: Import) => `${from} -> ${to}`;

describe('imports', () => {
  const files = ['src', 'kernels', 'shaders', 'tools'].flatMap((folder) => sources(folder));
  const all = files.flatMap((file) => importsOf(file));
  const within = all.filter(({ to }) => /^(src|kernels|shaders|tools)\//.test(to));

  it('run down the table', () => {
    const wrong = upward(within);
    console.log(`${all.length} imports in ${files.length} files: ${wrong.length} upward`);
    expect(wrong.map(line)).toEqual([]);
  });

  it('make no cycle', () => {
    const found = cycles(within);
    console.log(`${found.length} cycles`);
    expect(found).toEqual([]);
  });

  it('keep the backends apart: only src/open.ts names both', () => {
    const side = (file: string) => /^src\/(gpu|cpu)\//.exec(file)?.[1];
    const both = files.filter((file) => new Set(importsOf(file).flatMap(({ to }) => side(to) ?? [])).size > 1);
    expect(both).toEqual(['src/open.ts']);
    const across = within.filter(({ from, to }) => side(from) && side(to) && side(from) !== side(to));
    expect(across.map(line)).toEqual([]);
  });

  it('leave tests, tools and benchmarks alone in the library', () => {
    const library = all.filter(({ from }) => !from.startsWith('tools/'));
    const outside = library.filter(({ to }) => !/^(src|kernels|shaders|wasm)\//.test(to));
    expect(outside.map(line)).toEqual(['src/core/version.ts -> package.json']); // the version stands there alone
  });

  it('would be caught: an import up the table, a cycle', () => {
    const folder = mkdtempSync(join(tmpdir(), 'weightless-imports-'));
    for (const name of ['src/core', 'src/gpu']) mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'src/core/errors.ts'), "import type { Context } from '../gpu/context.ts';\n");
    writeFileSync(join(folder, 'src/gpu/context.ts'), "export const load = () => import('../core/errors.ts');\n");
    const planted = sources('src', folder).flatMap((file) => importsOf(file, folder));
    expect(upward(planted).map(line)).toEqual(['src/core/errors.ts -> src/gpu/context.ts']);
    expect(cycles(planted)).toEqual([['src/core/errors.ts', 'src/gpu/context.ts']]);
  });
});
