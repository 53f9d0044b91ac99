/** The pages: sizes, lines, links, and that the commands they show exist. test/browser/docs.test.ts runs their code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { activationNames } from '../src/core/activations.ts';
import * as errors from '../src/core/errors.ts';
import { losses } from '../src/graph/losses.ts';
import { everyKind } from '../src/layers/every.ts';
import { distributionNames } from '../src/weights/distributions.ts';
import { fieldNames } from '../src/weights/fields.ts';
import { buildProgram } from '../tools/cli/program.ts';
import { layerNames } from '../tools/common/architecture.ts';
import { dataNames } from '../tools/common/data.ts';
import { experimentNames } from '../tools/experiments/table.ts';
import { type Block, blocksOf, commandsOf, pages, proseOf, root, textOf } from './documents.ts';

const MOST_COLUMNS = 120;

it('README.md: at most 120 lines and 9 kB', () => {
  const text = textOf('README.md');
  expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(120);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(9000);
});

it('README.md names every entry point', () => {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
  const names = Object.keys(exports).filter((name) => name !== './package.json');
  const named = textOf('README.md').slice(textOf('README.md').indexOf('## Entry points'));
  for (const name of names) expect(named).toContain(name === '.' ? '`weightless-gpu`' : `\`${name.slice(1)}\``);
});

it.each([
  ['docs/training.md', 'activations', activationNames],
  ['docs/training.md', 'losses', Object.keys(losses)],
  ['docs/training.md', 'distributions', [...distributionNames, ...fieldNames]],
  ['docs/training.md', 'errors', Object.keys(errors)],
  ['docs/backend.md', 'activations', activationNames],
  ['docs/backend.md', 'distributions', distributionNames],
  ['docs/model-format.md', 'kinds of layers', Object.keys(everyKind)],
  ['docs/command-line.md', 'commands', buildProgram().commands.map((command) => command.name())],
  ['docs/command-line.md', 'layers', layerNames],
  ['docs/experiments.md', 'experiments', experimentNames],
  ['docs/experiments.md', 'data sets', dataNames],
] as const)('%s names all %s', (page, _, names: readonly string[]) => {
  const text = textOf(page);
  const hidden = ['experiment-worker', 'WeightlessError']; // a command that experiments start; the base class
  const missing = names.filter((name) => !hidden.includes(name) && !new RegExp(`\`${name}\\b`).test(text));
  expect(missing).toEqual([]);
});

it('README.md has the figures of the other pages', () => {
  const figures = [...textOf('README.md').matchAll(/^\|[^|]+\| ([^|]*\d[^|]*) \| `[^`]+` \|$/gm)].map(
    ([, value]) => value!,
  );
  expect(figures).toHaveLength(5);
  const others = pages
    .filter((page) => page !== 'README.md')
    .map(textOf)
    .join('\n');
  const digits = others.replaceAll(/[ ,|]/g, '');
  for (const value of figures.flatMap((figure) => figure.split('; '))) {
    const [figure] = /[\d.]+( ± [\d.]+%|%)?/.exec(value)!;
    expect(digits).toContain(figure.replaceAll(' ', ''));
  }
});

it('ARCHITECTURE.md is one page', () => {
  expect(Buffer.byteLength(textOf('ARCHITECTURE.md'))).toBeLessThanOrEqual(7000);
});

describe.each(pages)('%s', (page) => {
  it(`has no line of prose over ${MOST_COLUMNS} columns`, () => {
    const tooLong = proseOf(page).filter(
      ({ text }) => [...text].length > MOST_COLUMNS && !/^\||^!?\[[^\]]*\]\([^)]*\)$/.test(text), // tables, links
    );
    expect(tooLong.map(({ line, text }) => `${page}:${line}: ${text}`)).toEqual([]);
  });

  it('links only to files and headings that exist', () => {
    const links = proseOf(page).flatMap(({ line, text }) =>
      [...text.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => ({ line, target: target! })),
    );
    const dead = links.filter(({ target }) => !/^https?:/.test(target) && !leadsSomewhere(page, target));
    expect(dead.map(({ line, target }) => `${page}:${line}: ${target}`)).toEqual([]);
  });

  it.runIf(page !== 'CHANGELOG.md')('names only files that exist', () => {
    const ranked = /^\| \d+ \|/; // the table of test/imports.test.ts, which may rank what is yet to come
    const prose = proseOf(page).filter(({ text }) => !ranked.test(text));
    const named = prose.flatMap(({ line, text }) =>
      [...text.matchAll(/`((?:[\w.-]+\/)+[\w.-]*)`/g)].map(([, path]) => ({ line, path: path! })),
    );
    const missing = named.filter(({ path }) => ownFolders.test(path) && !exists(path));
    expect(missing.map(({ line, path }) => `${page}:${line}: ${path}`)).toEqual([]);
  });

  const shell = blocksOf(page).filter(({ kind }) => /^(sh|yaml)/.test(kind));
  it.runIf(shell.length > 0)('shows commands that exist, with options that they take', () => {
    for (const block of shell) checkCommands(block);
  });
});

it('finds what it looks for: a long line, a dead link, a wrong option', () => {
  expect(leadsSomewhere('README.md', 'docs/no-such-page.md')).toBe(false);
  expect(leadsSomewhere('README.md', 'ARCHITECTURE.md#no-such-heading')).toBe(false);
  const shell = (code: string): Block => ({
    page: 'x.md',
    line: 1,
    kind: 'sh',
    name: undefined,
    code,
    prints: undefined,
  });
  expect(() => checkCommands(shell('npx weightless train --unit 3'))).toThrow(/x\.md:1: .*unknown option '--unit'/);
  expect(() => checkCommands(shell('npx weightless learn'))).toThrow(/x\.md:1: /);
  expect(() => checkCommands(shell('npm run no-such-script'))).toThrow(/x\.md:1: .*no-such-script/);
  expect(() => checkCommands(shell('node scripts/none.mjs'))).toThrow(/x\.md:1: .*none\.mjs/);
});

/** Folders of this repository, and those of src/, which ARCHITECTURE.md names without it. */
const ownFolders = new RegExp(
  `^(${[root, join(root, 'src')].flatMap((folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []))).join('|')})/`,
);

/** Whether a path is there: x and NAME stand for any stem. */
const exists = (path: string) =>
  /\/(x|NAME)\./.test(path) || ['', 'src'].some((folder) => existsSync(join(root, folder, path)));

function leadsSomewhere(page: string, target: string): boolean {
  const [path, heading] = target.split('#') as [string, string?];
  const file = path ? join(dirname(page), path) : page;
  if (!existsSync(join(root, file))) return false;
  return !heading || headingsOf(file).includes(heading);
}

/** Anchors of a page's headings, as GitHub makes them. */
const headingsOf = (page: string) =>
  proseOf(page)
    .filter(({ text }) => text.startsWith('#'))
    .map(({ text }) =>
      text
        .replace(/^#+ /, '')
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    );

/** Throws where a command of the block does not exist, or does not take its options. Nothing is run. */
function checkCommands(block: Block): void {
  for (const words of commandsOf(block)) {
    try {
      checkCommand(words);
    } catch (error) {
      throw new Error(`${block.page}:${block.line}: ${words.join(' ')}: ${(error as Error).message}`);
    }
  }
}

const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };

function checkCommand(words: readonly string[]): void {
  const own = /\b(?:npx weightless|node dist\/cli\.js) (.*)/.exec(words.join(' '));
  if (own) {
    const skipped = words.findIndex((word) => word === 'weightless' || word === 'dist/cli.js') + 1;
    const end = words.findIndex((word) => word === ':::' || word.startsWith('>'));
    parse(words.slice(skipped, end < 0 ? undefined : end));
  }
  if (words[0] === 'npm' && words[1] === 'run' && !scripts[words[2]!]) throw new Error(`no such script: ${words[2]}`);
  if (words[0] === 'node' && /^(scripts|bench|demo|test)\//.test(words[1]!) && !existsSync(join(root, words[1]!))) {
    throw new Error(`no such file: ${words[1]}`);
  }
}

/** Lets the command line read its arguments, and do nothing. */
function parse(words: readonly string[]): void {
  const program = buildProgram();
  program.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  for (const command of program.commands) command.action(() => {}).configureOutput({ writeErr: () => {} });
  program.parse(words, { from: 'user' });
}
