/** The project's pages: their prose, their links, and their code blocks with what each is expected to print. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

const pagesIn = (folder: string) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name));

/** Pages that are written by hand, by their path in the repository. */
export const pages = [
  ...['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md'],
  ...['examples/README.md', 'demo/models/README.md', 'experiments/README.md', 'experiments/recipes.md'],
  ...pagesIn('docs'),
];

export const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');

/**
 * What becomes of a code block, by the words behind its fence:
 * `js` runs in Node, `js page` in Chromium once bundled, `html` in Chromium as it stands, `ts` is compiled strictly and runs in Node;
 * `sh` has its commands and options checked, `sh run` is run; `yaml` has the commands of its `run:` lines checked;
 * `text` is what the block before it prints, or else is only shown.
 */
export const kinds = ['js', 'js page', 'html', 'ts', 'sh', 'sh run', 'yaml', 'text'] as const;
export type Kind = (typeof kinds)[number];

export interface Block {
  readonly page: string;
  /** Line of the fence, from 1. */
  readonly line: number;
  readonly kind: Kind;
  /** The file that its first line names. */
  readonly name: string | undefined;
  readonly code: string;
  /** What a `text` block behind it says that it prints. */
  readonly prints: string | undefined;
}

/** The code blocks of a page. Throws where one is of no known kind, or a file without a name. */
export function blocksOf(page: string): Block[] {
  const text = textOf(page);
  const found = [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)].map((match) => ({
    info: match[1]!,
    code: match[2]!,
    line: text.slice(0, match.index).split('\n').length,
    end: match.index + match[0].length,
    start: match.index,
  }));
  return found.map(({ info, code, line, end }, i) => {
    const kind = kinds.find((name) => name === info);
    if (!kind) throw new Error(`${page}:${line}: expected a code block of ${kinds.join(', ')}; got '${info}'`);
    const name = /^(?:\/\/|<!--) ([\w-]+\.(?:m?js|ts|html))\b/.exec(code)?.[1];
    if (/^(js|ts|html)/.test(kind) && !name) {
      throw new Error(`${page}:${line}: expected a first line that names the file, such as '// name.js'`);
    }
    const next = found[i + 1];
    const follows = next?.info === 'text' && text.slice(end, next.start).trim() === '';
    return { page, line, kind, name, code, prints: follows ? next.code.trimEnd() : undefined };
  });
}

/** Lines of a page outside of its code blocks, with their numbers. */
export function proseOf(page: string): { line: number; text: string }[] {
  const blank = (block: string) => block.replace(/[^\n]/g, '');
  const text = textOf(page).replace(/^```.*\n[\s\S]*?^```$/gm, blank);
  return text.split('\n').map((line, i) => ({ line: i + 1, text: line }));
}

/** The commands of a shell block, each as its words: continued lines joined, comments left out, variables as 1. */
export function commandsOf({ kind, code }: Pick<Block, 'kind' | 'code'>): string[][] {
  const lines = code.replaceAll('\\\n', ' ').split('\n');
  const shell = kind === 'yaml' ? lines.flatMap((line) => /^\s*- run: (.*)$/.exec(line)?.[1] ?? []) : lines;
  return shell
    .flatMap((line) => wordsOf(line.replace(/\$\w+|\$\{\{.*?\}\}|\{\}/g, '1')))
    .filter((words) => words.length > 0);
}

/** The words of the commands of a line, quotes removed. */
function wordsOf(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [token] of line.matchAll(/"[^"]*"|'[^']*'|&&|\||;|#.*$|[^\s"'|;]+/g)) {
    if (token.startsWith('#')) break;
    if (['&&', '|', ';'].includes(token)) commands.push([]);
    else commands.at(-1)!.push(token.replace(/^(["'])(.*)\1$/s, '$2'));
  }
  return commands;
}
