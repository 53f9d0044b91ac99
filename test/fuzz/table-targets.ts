/** Targets that are tables: CSV files of every dialect, FANN and R files. */
import { product } from '../../src/core/shape.ts';
import { tablesToData } from '../../src/data/csv.ts';
import { readTable, readTableLike } from '../../src/data/csv-table.ts';
import { classNamesOf, type DataSet } from '../../src/data/dataset.ts';
import { readFann } from '../../src/data/fann.ts';
import { readDataFrame } from '../../src/data/r-data.ts';
import type { Table } from '../../src/data/table.ts';
import { frame } from '../make-r-data.ts';
import { type Choices, damage, edges, type Target, Wrong } from './choices.ts';

const numbers = ['0', '1', '-2.5', '3e4', '1e100', '.5', '7.', '1e-320', '00', '-0', '1e30', ' 8 ', '2', '5', '6'];
const texts = [
  'red',
  'blue',
  '__proto__',
  'constructor',
  '"a,b"',
  '"x""y"',
  '"two\nlines"',
  'é',
  '0x10',
  '٣',
  'x',
  '+',
];
const odd = [
  ...[
    '',
    '?',
    'NA',
    'nan',
    '1e999',
    '1e101',
    '"open',
    'a"b',
    '\u0000',
    '-',
    'None',
    'inf',
    '-Infinity',
    '#N/A',
    '#DIV/0!',
  ],
  ...[
    '"1,234"',
    '"1,5"',
    '$5',
    '5 €',
    '12%',
    '\u22123',
    '1 234',
    '007',
    '7',
    '1.234,5',
    '\u001b[2J',
    '"',
    "'",
    ...numbers,
    ...texts,
  ],
];
const titles = ['label', 'class', 'size', 'Size', 'colour', '0', '1', '2', 'x', '', '?', 'label', '2019'];

/** Text of 2^17 characters at most on which a pattern that tries each split in turn would take minutes. */
function longCell(choices: Choices): string {
  const piece = choices.of(['1', '1,', '1.1', ' ', '1e', '""', '-', 'x', '1,111', '\u00a0', '"1"']);
  return piece.repeat(2 ** choices.below(16)) + choices.of(['x', '', '.', '"']);
}

const encodings: readonly ((text: string) => Uint8Array)[] = [
  (text) => new TextEncoder().encode(text),
  (text) => new TextEncoder().encode(`\uFEFF${text}`),
  (text) => Buffer.from(`\uFEFF${text}`, 'utf16le'),
  (text) => Buffer.from(text, 'utf16le').swap16(),
  (text) => Buffer.from(text, 'latin1'),
];

/** Rows of columns that are numbers or texts, some cells of them anything. */
function csvText(
  choices: Choices,
  columns: readonly (readonly string[])[],
  header: readonly string[] | undefined,
): string {
  const [mark, end] = [choices.of([',', ',', ';', '\t', '|']), choices.of(['\n', '\n', '\r\n'])];
  const shift = choices.below(16);
  const rows = Array.from({ length: 12 - choices.below(13) }, (_, row) =>
    columns.map((cells, column) => cells[(shift + row * (column + 1)) % cells.length]!),
  );
  for (const cell of choices.list(3, () => choices.of(odd))) {
    const row = choices.of(rows.length ? rows : [[]]);
    row[choices.below(columns.length)] = cell;
  }
  if (choices.below(12) === 11) rows.push(choices.list(4, () => choices.of(odd)));
  if (choices.below(64) === 63) choices.of(rows.length ? rows : [[]])[0] = longCell(choices);
  if (choices.below(256) === 255) rows.push(Array<string>(2 ** choices.below(18)).fill(choices.of(odd)));
  const all = header ? [[...header], ...rows] : rows;
  return all.map((row) => row.join(mark)).join(end) + choices.of([end, end, '']);
}

/**
 * Rows of the same size, finite, no more of them than the file has room for: each cell takes a byte, and makes 256
 * numbers at most.
 */
function checkTable(
  { rows, shape, features, labels, targets, classes, preparation }: DataSet,
  fileBytes: number,
): void {
  if (features.length !== rows * product(shape) || labels.length !== rows) throw new Wrong('rows of another size');
  if (features.length > 256 * fileBytes) throw new Wrong(`${features.length} numbers from ${fileBytes} bytes`);
  if (!features.every(Number.isFinite)) throw new Wrong('numbers that are not finite');
  if (preparation!.outputs.task !== 'classification') {
    if (!targets || targets.length % rows !== 0 || !targets.every(Number.isFinite))
      throw new Wrong('rows without targets');
    return;
  }
  if (classNamesOf({ preparation: preparation! })?.length !== classes || !labels.every((label) => label < classes))
    throw new Wrong('labels without a name');
}

const encode = encodings[0]!;

/** Rows of numbers with three decimals, texts and labels, in a dialect. */
interface Dialect {
  readonly mark: string;
  readonly decimal: string;
  readonly order: readonly number[];
  readonly fold: boolean;
  readonly write: (text: string) => Uint8Array;
}

const names = ['Size', 'Weight', 'Paint', 'Class'];

function inDialect(rows: readonly (readonly string[])[], { mark, decimal, order, fold, write }: Dialect): Uint8Array {
  const quote = (cell: string) => (cell.includes(mark) ? `"${cell}"` : cell);
  const header = order.map((i) => (fold ? names[i]!.toUpperCase() : names[i]!));
  const lines = rows.map((row) => order.map((i) => quote(i < 2 ? row[i]!.replace('.', decimal) : row[i]!)));
  return write([header, ...lines].map((line) => line.join(mark)).join('\n'));
}

/** What must not be refused. */
function accepted<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Wrong(`refused: ${(error as Error).message}`);
  }
}

const sameNumbers = (a: Float32Array, b: Float32Array) =>
  a.length === b.length && a.every((v, i) => Object.is(v, b[i]));

export const tableTargets: Readonly<Record<string, Target>> = {
  CSV(choices) {
    const pools = [numbers, texts, numbers, texts, odd];
    const columns = [numbers, ...choices.list(3, () => choices.of(pools)), choices.of(pools).slice(0, 3)];
    const header = choices.below(2)
      ? columns.map((_, i) => (choices.below(3) ? `${titles[i]}${i}` : choices.of(titles)))
      : undefined;
    const file = () => {
      const whole = choices.of(choices.below(4) ? [encode] : encodings)(csvText(choices, columns, header));
      return choices.below(3) < 2 ? whole : damage(choices, whole);
    };
    const [trainFile, testFile] = [file(), choices.below(2) ? file() : undefined];
    const train = readTable(trainFile, 'train.csv', choices.of(['auto', 'auto', true, false] as const));
    const test = testFile && readTableLike(testFile, 'test.csv', train);
    const label = choices.of([undefined, undefined, undefined, '1', 'label', '99', '']);
    const made = tablesToData(train, test, label, 0);
    checkTable(made.train, trainFile.length);
    checkTable(made.test, (testFile ?? trainFile).length);
    if (made.train.rows + (test ? 0 : made.test.rows) !== train.rows) throw new Wrong('rows that are lost');
    if (choices.below(4) === 0) {
      const asked = file();
      const inputs = made.inputs!((table, at) => readTableLike(asked, 'rows.csv', table, at));
      if (inputs.length % product(made.train.shape) !== 0 || !inputs.every(Number.isFinite)) throw new Wrong('inputs');
    }
  },
  /**
   * The same rows in two dialects are the same numbers, whatever the order of their columns and the case of their
   * names.
   */
  'CSV dialects'(choices) {
    let state = choices.below(0x10000); // a case has too few numbers of its own for all cells
    const next = (end: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return (state >>> 8) % end;
    };
    const value = () => `${next(2) ? '' : '-'}${next(2000)}.${next(99)}${1 + next(9)}`;
    const rows = Array.from({ length: 6 + next(6) }, (_, i) => [
      value(),
      value(),
      ['réd', 'blue', 'a, b', 'x007', 'x7'][next(5)]!,
      i % 2 ? 'ín' : 'out',
    ]);
    const dialect = (): Dialect => {
      const [mark, decimal] = choices.of([
        [',', '.'],
        [';', ','],
        [';', '.'],
        ['\t', ','],
        ['|', '.'],
        [',', ','],
      ] as const);
      const order = [0, 1, 2, 3].sort((a, b) => ((a * 7 + choices.below(50)) % 5) - ((b * 7 + choices.below(50)) % 5));
      return { mark, decimal, order, fold: choices.below(2) === 0, write: choices.of(encodings) };
    };
    const plain = { mark: ',', decimal: '.', order: [0, 1, 2, 3], fold: false, write: encode };
    const train = readTable(inDialect(rows, plain), 'train.csv', 'auto');
    const whole = tablesToData(train, train, 'Class', 0);
    const made = accepted(() => {
      const other = readTableLike(inDialect(rows, dialect()), 'test.csv', train);
      return tablesToData(train, other, 'Class', 0);
    });
    if (!sameNumbers(made.test.features as Float32Array, whole.test.features as Float32Array))
      throw new Wrong('other numbers');
    if (made.test.labels.join() !== whole.test.labels.join()) throw new Wrong('other labels');
    if (choices.below(4) === 0) readTableLike(damage(choices, inDialect(rows, dialect())), 'test.csv', train);
  },
  FANN(choices) {
    const sizes = choices.list(4, () => choices.of([1, 2, 3, ...edges]));
    const [rows = 1, inputs = 1, outputs = 1] = sizes.map((size) => (size >= 1 && size <= 3 ? size : 2));
    const cells = Array.from({ length: rows * (inputs + outputs) }, () =>
      choices.of(choices.below(20) ? ['0', '1', '.5'] : odd),
    );
    const head = choices.below(3) ? [rows, inputs, outputs] : sizes;
    const text = `${head.join(' ')}\n${cells.join(choices.of([' ', '\n', '\t \n']))}`;
    checkCells(readFann(choices.below(3) ? text : new TextDecoder().decode(damage(choices, encode(text))), 'fuzz'));
  },
  'R data'(choices) {
    const file = frame(choices.of([2, 3]));
    checkCells(readDataFrame(choices.below(8) ? damage(choices, file) : file, 'Things', 'fuzz'));
  },
};

function checkCells({ columns, rows }: Table): void {
  if (columns.some((column) => column.length !== rows)) throw new Wrong('columns of other lengths');
}
