/** CSV files as other programs and people write them, against the values that they mean. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { tablesToData } from '../src/data/csv.ts';
import { dialectOf } from '../src/data/csv-dialect.ts';
import { type Decimal, decimalEvidence, gaps, numericGaps, readNumber } from '../src/data/csv-numbers.ts';
import { type Header, readTable, readTableLike } from '../src/data/csv-table.ts';
import { classNamesOf } from '../src/data/dataset.ts';
import { openFolder } from '../src/data/folder.ts';

const encode = (text: string) => new TextEncoder().encode(text);

/** Both parts of a single file, or of two. */
function load(train: string | Uint8Array, test?: string | Uint8Array, label?: string, header: Header = 'auto') {
  const bytes = (file: string | Uint8Array) => (typeof file === 'string' ? encode(file) : file);
  const table = readTable(bytes(train), 'train.csv', header);
  return tablesToData(table, test ? readTableLike(bytes(test), 'test.csv', table) : undefined, label, 0);
}

/** Twenty rows: a column of numbers that `write` writes, and a label. */
const rowsOf = (write: (i: number) => string, mark = ',') =>
  Array.from({ length: 20 }, (_, i) => `${write(i)}${mark}${i % 2 ? 'odd' : 'even'}`).join('\n');

/** A table that is its own test part, so that every row trains: which rows a split picks depends on how they are written. */
const loadWhole = (text: string) => {
  const table = readTable(encode(text), 'mine.csv', 'auto');
  return tablesToData(table, table, undefined, 0);
};
const plain = loadWhole(`x,y\n${rowsOf((i) => String(i))}`).train.features;

describe('numbers in cells', () => {
  it.each<[string, Decimal, number, string]>([
    ['1', '.', 1, ''],
    ['-1.5e3', '.', -1500, ''],
    ['.5', '.', 0.5, ''],
    ['5.', '.', 5, ''],
    ['007', '.', 7, ''],
    ['1,234', '.', 1234, ''],
    ['1,234,567.25', '.', 1234567.25, ''],
    ["1'234.5", '.', 1234.5, ''],
    ['1 234', '.', 1234, ''],
    ['1\u202f234,5', ',', 1234.5, ''],
    ['1.234', ',', 1234, ''],
    ['1.234', '.', 1.234, ''],
    ['-1.234.567,5', ',', -1234567.5, ''],
    ['1,5', ',', 1.5, ''],
    ['\u22123', '.', -3, ''],
    ['\u22123,5', ',', -3.5, ''],
    ['$5', '.', 5, '$'],
    ['-$1,234.50', '.', -1234.5, '$'],
    ['$-5', '.', -5, '$'],
    ['5 €', '.', 5, '€'],
    ['12.5%', '.', 12.5, '%'],
  ])('%s with decimal %s is %d', (cell, decimal, value, unit) => {
    expect(readNumber(cell, decimal)).toEqual({ value, unit });
  });

  it.each([
    '',
    '-',
    '.',
    'e5',
    '1e',
    '0x10',
    '1,23',
    '12,34,567',
    '1,234,56',
    '1.2.3',
    '--1',
    '1-2',
    '$',
    '%',
    '5kg',
    '$5€',
    'Infinity',
    'NaN',
    '1_000',
    '٣',
  ])("'%s' is none", (cell) => {
    expect(readNumber(cell, '.')).toBeUndefined();
  });

  it.each<[string, ReturnType<typeof decimalEvidence>]>([
    ['1,5', ','],
    ['0,125', ','],
    ['1.5', '.'],
    ['1,234', 'either'],
    ['1.234', 'either'],
    ['1,234,567', '.'],
    ['1.234,5', ','],
    ['1234,567', ','],
    ['12', undefined],
    ['1,5 kg', undefined],
    ['2024.01.02', undefined],
  ])('%s tells the decimal mark %s', (cell, mark) => {
    expect(decimalEvidence(cell)).toBe(mark);
  });

  it('takes time in proportion to the length of a cell', () => {
    const long = ['1'.repeat(2 ** 20), '1,111'.repeat(2 ** 18), ' '.repeat(2 ** 20), '1e'.repeat(2 ** 19)];
    const started = process.cpuUsage(); // of this process: the machine may be busy
    for (const cell of long) {
      for (const decimal of ['.', ','] as const) readNumber(`${cell}x`, decimal);
      decimalEvidence(`${cell}x`);
    }
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(500);
    const message = /expected cells of at most 65536 characters, got 70001 in column 1/;
    expect(() => load(`a,b\n1,2\n${'1'.repeat(70_000)}x,2\n`)).toThrow(message);
    expect(process.cpuUsage(started).user / 1000).toBeLessThan(2000);
  });
});

describe('dialects', () => {
  it.each<[string, string, Decimal]>([
    ['1,2,3\n4,5,6\n', ',', '.'],
    ['1;2;3\n4;5;6\n', ';', '.'],
    ['1,5;2,5;a\n3,5;4,5;b\n', ';', ','],
    ['1,5;2,5\n3,5;4,5\n', ';', ','],
    ['1,234;5\n2,345;6\n', ';', ','],
    ['1.5;2\n3.5;4\n', ';', '.'],
    ['"1,234",a\n"2,345",b\n', ',', '.'],
    ['"1,5",a\n"2,25",b\n', ',', ','],
    ['1.234,5;a\n1,5;b\n', ';', ','],
    ['1,5\ta\n2,5\tb\n', '\t', ','],
    ['a|1\nb|2\n', '|', '.'],
    ['name;note\nx;a, b\ny;c, d\n', ';', '.'],
    ['id,note\n1,a;b\n2,c;d\n', ',', '.'],
    ['"a;b",1\n"c;d",2\n', ',', '.'],
  ])('%j', (text, delimiter, decimal) => {
    expect(dialectOf(encode(text), undefined)).toEqual({ delimiter, decimal });
  });

  it('reads the same values from every dialect', () => {
    const comma = (i: number) => String(i / 8 - 1).replace('.', ',');
    for (const [text, note] of [
      [`x;y\n${rowsOf(comma, ';')}`, /semicolons, decimal commas/],
      [`x\ty\n${rowsOf(comma, '\t')}`, /tabs, decimal commas/],
      [`x,y\n${rowsOf((i) => `"${comma(i)}"`)}`, /commas, decimal commas/],
      [`x,y\n${rowsOf((i) => String(i / 8 - 1))}`, /commas, decimal points/],
      [`x,y\n${rowsOf((i) => String(i / 8 - 1).replace('-', '\u2212'))}`, /decimal points/],
      [`x,y\n${rowsOf((i) => `$${i / 8 - 1}`)}`, /column 'x': numbers read without '\$'/],
      [`x,y\n${rowsOf((i) => `${i / 8 - 1} %`)}`, /numbers read without '%'/],
      [`x,y\n${rowsOf((i) => `"${(125 * (i - 8) + 10_000_000).toLocaleString('en')}"`)}`, /decimal points/],
    ] as const) {
      const { train, notes } = loadWhole(text);
      expect(train.shape).toEqual([1]);
      for (const [i, value] of train.features.entries()) expect(value).toBeCloseTo(plain[i]!, 5);
      expect(notes.join('\n')).toMatch(note);
    }
  });

  it('reads another file of the same data by the decimal mark of the training file', () => {
    const train = readTable(encode(`x;y\n${rowsOf((i) => `${i},5`, ';')}`), 'train.csv', 'auto');
    const data = tablesToData(train, undefined, undefined, 0);
    const inputs = (text: string) => data.inputs!((table, label) => readTableLike(encode(text), 'r.csv', table, label));
    expect(inputs('1,125\n2,375\n')).toEqual(inputs('1.125,a\n2.375,b\n'.replaceAll(',', ';').replaceAll('.', ',')));
    expect(inputs('x;y\n1,250;a\n')).toEqual(inputs('x\n1,25\n'));
  });

  it.each<[string, (text: string) => Uint8Array]>([
    ['UTF-8', encode],
    ['UTF-8', (text) => encode(`\uFEFF${text}`)],
    ['UTF-16LE', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le')],
    ['UTF-16LE', (text) => Buffer.from(text, 'utf16le')],
    ['UTF-16BE', (text) => Buffer.from(`\uFEFF${text}`, 'utf16le').swap16()],
    ['UTF-16BE', (text) => Buffer.from(text, 'utf16le').swap16()],
    ['Windows-1252', (text) => Buffer.from(text.replaceAll('€', '\x80'), 'latin1')],
  ])('keeps classes apart in %s', (encoding, write) => {
    const rows = Array.from({ length: 30 }, (_, i) => `${i},${['Käse', 'Kõse', 'K€se'][i % 3]}`).join('\n');
    const { train, notes } = load(write(`x,y\n${rows}`));
    expect(classNamesOf(train)).toEqual([...['Käse', 'Kõse', 'K€se']].sort(new Intl.Collator('en').compare));
    expect(notes.join('\n')).toContain(`train.csv: ${encoding}, `);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['UTF-32', Uint8Array.of(0xff, 0xfe, 0, 0, 65, 0, 0, 0), /got UTF-32. Save it as UTF-8/],
    ['bytes of no encoding', Uint8Array.of(65, 0x81, 44, 66), /got the byte 0x81 at 1/],
    ['gzip', Uint8Array.of(0x1f, 0x8b, 8, 0), /got a gzip file/],
    ['a spreadsheet', Uint8Array.of(0x50, 0x4b, 3, 4), /a spreadsheet. Export/],
    ['Git LFS', encode('version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 2\n'), /a pointer of Git LFS/],
  ])('names %s', (_, file, message) => {
    expect(() => load(file)).toThrow(DataError);
    expect(() => load(file)).toThrow(message);
  });
});

describe('gaps and stray cells', () => {
  it('are the same in the exported Python program', async () => {
    const program = await readFile('src/export/predict.py', 'utf8');
    const listOf = (name: string) => {
      const [, code] = new RegExp(`^${name} = .*?set\\(([^)]*(?:\\(null\\)[^)]*)?)\\.split`, 'ms').exec(program)!;
      const text = [...code!.matchAll(/"([^"]*)"/g)].map(([, part]) => part).join('');
      return (JSON.parse(`"${text}"`) as string).split('|').sort();
    };
    expect(listOf('GAPS')).toEqual([...gaps].sort());
    expect(listOf('NUMERIC_GAPS')).toEqual([...numericGaps].sort());
  });

  it.each([
    '',
    '?',
    'NA',
    'N/A',
    'NaN',
    'null',
    'None',
    '#N/A',
    '#N/A N/A',
    '(null)',
    '\\N',
    '<NA>',
    '-',
    '\u2013',
    '.',
    'inf',
    '-inf',
    'Infinity',
    '#DIV/0!',
  ])("'%s' in a column of numbers is a gap", (gap) => {
    const { train, notes } = load(`x,y\n${rowsOf((i) => (i === 7 ? gap : String(i)))}\n`, `x,y\n${gap},odd\n3,odd\n`);
    expect(train.shape).toEqual([1]);
    expect(train.features[7]).toBe(0);
    expect(notes.join('\n')).toContain(`2 gaps (2 ${gap === '' ? 'empty' : `'${gap}'`})`);
  });

  it('a mark of numbers is a category in a column of texts', () => {
    const { train, notes } = load(`x,y\n${rowsOf((i) => (i % 3 ? '+' : '-'))}`);
    expect(train.shape).toEqual([2]);
    expect(notes.join('\n')).not.toContain('gaps');
  });

  it('lists the cells of a column that is numeric but for a few', () => {
    const stray = (cells: Record<number, string>) => () => load(`size,y\n${rowsOf((i) => cells[i] ?? String(i))}`);
    expect(stray({ 4: 'abc' })).toThrow(
      /train\.csv: expected numbers in column 1 \('size'\), as in 19 of its cells; got 'abc' in row 5\. Correct these cells, or empty them/,
    );
    expect(stray({ 4: 'abc', 9: '1,5' })).toThrow(DataError);
    expect(stray({ 4: 'a', 9: 'b', 10: 'c', 11: 'd' })).not.toThrow(); // 16 numbers and 4 texts: categories
    expect(stray({ 4: '$4' })).toThrow(/got '\$4' in row 5/);
    const missing = Array.from({ length: 200 }, (_, i) => `${i % 9 ? i / 7 : 'missing'},${i % 2}`).join('\n');
    expect(() => load(`x,y\n${missing}`)).toThrow(/as in 177 of its cells; got 'missing' in row 1.* and 20 more/);
    expect(() => load(`1.5,a\nx,b\n2.5,a\n3,b\n4,a\n5,b\n`)).toThrow(/got 'x' in row 2/);
  });

  it('keeps hostile text out of messages', () => {
    const cell = `\u001b[2J${'x'.repeat(5000)}`;
    const error = (() => {
      try {
        return load(`a,y\n${rowsOf((i) => (i === 4 ? cell : String(i)))}`);
      } catch (reason) {
        return (reason as Error).message;
      }
    })();
    expect(error).not.toContain('\u001b');
    expect((error as string).length).toBeLessThan(400);
  });
});

describe('labels', () => {
  it('stay exactly as they are written', () => {
    const of = (names: readonly string[]) =>
      classNamesOf(
        load(`x,y\n${Array.from({ length: 40 }, (_, i) => `${i},${names[i % names.length]}`).join('\n')}`).train,
      );
    expect(of(['007', '7'])).toEqual(['007', '7']);
    expect(of(['1.0', '1', '1e0'])).toEqual(['1', '1.0', '1e0']);
    expect(of(['None', '-', 'inf'])).toEqual(['-', 'inf', 'None']);
    expect(of(['0', '1'])).toEqual(['0', '1']);
    expect(() => load(`x,y\n${rowsOf((i) => String(i))}`, 'x,y\n1,Odd\n')).toThrow(/expected a label.*got 'Odd'/);
    expect(() => load('1,7\n2,8\n', '1,007\n')).toThrow(/expected a label.*got '007'/);
  });
});

describe('headers', () => {
  const isHeader = (text: string) => readTable(encode(text), 'f.csv', 'auto').header !== undefined;
  const body = Array.from({ length: 9 }, (_, i) => `${i / 4 + 0.1},${7 - i},${i % 2}`).join('\n');

  it.each<[string, boolean]>([
    [`0,1,2\n${body}`, true],
    [
      `,0,1\n${body
        .replaceAll(/^[^,]*,/gm, '')
        .split('\n')
        .map((line, i) => `${i},${line}`)
        .join('\n')}`,
      true,
    ],
    [`a,0,1\n${body}`, true],
    [`0,1,kind\n${body}`, true],
    [`0,1,kind\n${body.replaceAll(/.$/gm, 'z')}`, true],
    [`country,2019,2020\n${body}`, true],
    [`Size,Weight,Class\n${body}`, true],
    [`Size,Weight,Class\nabc,1,0\n${body}`, true], // one stray cell hides no header
    [body, false],
    [`x,7,1\n${body}`, false],
    [`5.1,x,0\n${body}`, false],
    ['p,q\nc,a\nd,b\nc,a\n', true],
    ['a,b\nc,a\nd,b\nc,a\n', false],
    ['c,a\nd,b\nc,a\nd,b\n', false],
  ])('%j: %s', (text, expected) => {
    expect(isHeader(text)).toBe(expected);
  });

  it('asks where the first row may be either', () => {
    const text = '0,1,2\n2,1,0\n0,1,2\n0,0,1\n';
    expect(() => isHeader(text)).toThrow(/which may be both. Decide by --header yes or --header no/);
    expect(readTable(encode(text), 'f.csv', false).rows).toBe(4);
    expect(readTable(encode(text), 'f.csv', true).header).toEqual(['0', '1', '2']);
    expect(() => isHeader(`x,x,y\n${body}`)).toThrow(/a name of its own for each column, got 'x' twice/);
  });

  const trainText = `Size,Weight,Paint,Class\n${Array.from({ length: 12 }, (_, i) => `${i},${i * i},${i % 3 ? 'red' : 'blue'},${i % 2 ? 'in' : 'out'}`).join('\n')}`;
  const train = readTable(encode(trainText), 'train.csv', 'auto');
  const data = tablesToData(train, undefined, undefined, 0);
  const inputs = (text: string) => [
    ...data.inputs!((table, label) => readTableLike(encode(text), 'rows.csv', table, label)),
  ];
  const wanted = inputs('Size,Weight,Paint\n3,5,red\n');

  it.each([
    '3,5,red\n',
    '3,5,red,?\n',
    'size,WEIGHT,paint\n3,5,red\n',
    'Paint,Class,Weight,Size\nred,?,5,3\n',
    ' paint , weight,size\nred,5,3\n',
    'paint;weight;size\nred;5;3\n',
  ])('matches %j by name', (text) => {
    expect(inputs(text)).toEqual(wanted);
  });

  it.each<[string, RegExp]>([
    ['Size,Weight\n3,5\n', /expected the columns of train\.csv \('Size', .*\), matched by name; got no column 'Paint'/],
    ['Size,Weight,Paint,Extra\n3,5,red,1\n', /got the unknown 'Extra'/],
    ['Size,Weigth,Paint\n3,5,red\n', /got no column 'Weight' and the unknown 'Weigth'/],
    ['a,b,c\n3,5,red\n', /got no column 'Size', 'Weight', 'Paint' and the unknown 'a', 'b', 'c'/],
    ['Size,size,Paint\n3,5,red\n', /expected each column once, got 'Size' and 'size'/],
    ['3,5\n', /expected the 4 columns of train\.csv, or 3 without its label; got 2/],
    ['3,red,5\n', /expected a number in column 'Weight', got 'red' in row 1/],
  ])('refuses %j by name', (text, message) => {
    expect(() => inputs(text)).toThrow(DataError);
    expect(() => inputs(text)).toThrow(message);
  });

  it('matches names that differ only in case exactly, and columns that are numbered', () => {
    const twin = readTable(encode(`x,X,y\n${body}`), 'train.csv', 'auto');
    expect(readTableLike(encode('X,x,y\n1.5,2,0\n'), 'r.csv', twin).columns).toEqual([[2], [1.5], [0]]);
    const numbered = readTable(encode(`0,1,2\n${body}`), 'train.csv', 'auto');
    expect(readTableLike(encode('0,1,2\n3,4,1\n'), 'r.csv', numbered).columns).toEqual([[3], [4], [1]]);
    expect(readTableLike(encode('3,4,1\n'), 'r.csv', numbered).columns).toEqual([[3], [4], [1]]);
    expect(() => readTableLike(encode('1,0,2\n3,4,1\n'), 'r.csv', numbered)).toThrow(/may be both/);
  });

  it('matches test.csv by name', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weightless-csv-'));
    await writeFile(join(folder, 'train.csv'), trainText);
    await writeFile(join(folder, 'test.csv'), 'CLASS,paint,weight,size\nin,red,5,3\n');
    const test = await (await openFolder(folder)).load('test');
    const same = load(trainText, 'Size,Weight,Paint,Class\n3,5,red,in\n').test;
    expect(test.features).toEqual(same.features);
    expect(test.labels).toEqual(same.labels);
    await writeFile(join(folder, 'test.csv'), 'paint,weight,size\nred,5,3\n');
    await expect(openFolder(folder)).rejects.toThrow(
      /test\.csv: expected the columns of train\.csv .*no column 'Class'/,
    );
  });
});
