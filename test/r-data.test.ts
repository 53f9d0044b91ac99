import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { readFann } from '../src/data/fann.ts';
import { readDataFrame } from '../src/data/r-data.ts';

/** R's serialisation, as its manual says: enough of a writer for a data frame. */
class Writer {
  readonly bytes: number[] = [];
  text = (text: string) => this.bytes.push(...new TextEncoder().encode(text));
  int = (value: number) =>
    this.bytes.push((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
  double = (value: number) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    this.bytes.push(...new Uint8Array(view.buffer));
  };
  string = (text: string | undefined) => {
    this.int(9);
    this.int(text === undefined ? -1 : text.length);
    if (text !== undefined) this.text(text);
  };
  strings = (texts: readonly (string | undefined)[]) => {
    this.int(16);
    this.int(texts.length);
    for (const text of texts) this.string(text);
  };
  /** The head of a list's element; a symbol is written out once, then named by its number. */
  tag = (symbol: string | number) => {
    this.int(0x402);
    if (typeof symbol === 'number') return this.int(255 | (symbol << 8));
    this.int(1);
    return this.string(symbol);
  };
  end = () => this.int(254);
}

function frame(version: 2 | 3): Uint8Array {
  const out = new Writer();
  out.text(`RDX${version}\nX\n`);
  for (const value of [version, 0x30000, 0x20300]) out.int(value);
  if (version === 3) {
    out.int(5);
    out.text('UTF-8');
  }
  out.tag('Things'); // symbol 1
  out.int(19 | 0x300);
  out.int(3);
  out.int(14); // numbers
  out.int(3);
  for (const value of [1.5, -2, Number.NaN]) out.double(value);
  out.int(13 | 0x300); // a factor
  out.int(3);
  for (const value of [2, 1, -(2 ** 31)]) out.int(value);
  out.tag('levels'); // symbol 2
  out.strings(['low', 'high']);
  out.tag('class'); // symbol 3
  out.strings(['factor']);
  out.end();
  out.int(10); // logical
  out.int(3);
  for (const value of [0, 1, 1]) out.int(value);
  out.tag('names'); // symbol 4
  out.strings(['x', 'grade', 'ok']);
  out.tag(3);
  out.strings(['data.frame']);
  out.end();
  out.end();
  return Uint8Array.from(out.bytes);
}

describe('readDataFrame', () => {
  it.each([2, 3] as const)('reads numbers, factors and gaps, version %i', (version) => {
    expect(readDataFrame(frame(version), 'Things', 'file')).toEqual({
      name: 'file: Things',
      header: ['x', 'grade', 'ok'],
      columns: [
        [1.5, -2, Number.NaN],
        ['high', 'low', Number.NaN],
        [0, 1, 1],
      ],
      rows: 3,
    });
  });

  it('refuses other files, every truncation, and lengths that are not there', () => {
    const file = frame(2);
    expect(() => readDataFrame(file, 'Other', 'file')).toThrow(/file: expected a data frame called Other/);
    expect(() => readDataFrame(new TextEncoder().encode('RDA3\nA\n'), 'x', 'file')).toThrow(
      /expected a file of R's save in XDR/,
    );
    for (let i = 0; i < file.length; i++) {
      expect(() => readDataFrame(file.subarray(0, i), 'Things', 'file')).toThrow(DataError);
    }
    for (let i = 7; i < file.length; i++) {
      const damaged = file.slice();
      damaged[i] = 0x7f;
      try {
        readDataFrame(damaged, 'Things', 'file');
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
  });
});

describe('readFann', () => {
  it('reads one output or one a class', () => {
    const one = readFann('3 2 1\n0.5 1\n1\n2 3\n0\n4 5 1\n', 'one');
    expect(one).toEqual({
      name: 'one',
      header: undefined,
      rows: 3,
      columns: [
        [0.5, 2, 4],
        [1, 3, 5],
        [1, 0, 1],
      ],
    });
    expect(readFann('2 1 3\n7\n0 0 1\n8\n0 1 0', 'three').columns[1]).toEqual([2, 1]);
  });

  it('refuses other sizes than the first line says, and what is no number', () => {
    expect(() => readFann('2 1 1\n1 1\n2', 'short')).toThrow(
      /short: expected rows, inputs and outputs.*got 2 1 1 and 3 numbers/,
    );
    expect(() => readFann('1e9 1e9 1\n1', 'large')).toThrow(DataError);
    expect(() => readFann('', 'empty')).toThrow(/got nothing/);
    expect(() => readFann('1 1 1\n1 x', 'text')).toThrow(/finite numbers in row 1, got x/);
    expect(() => readFann('1 1 1\nx 1', 'text')).toThrow(/finite numbers in row 1, got x/);
  });
});
