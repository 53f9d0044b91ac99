/** Writes data files of R. */

/** Enough of R's serialisation, as its manual describes it, to write a data frame. */
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
  /** The head of a list's element. A symbol is written out once, then referred to by its number. */
  tag = (symbol: string | number) => {
    this.int(0x402);
    if (typeof symbol === 'number') return this.int(255 | (symbol << 8));
    this.int(1);
    return this.string(symbol);
  };
  end = () => this.int(254);
}

/** A data frame `Things` of numbers, a factor and truth values, each with a gap. */
export function frame(version: 2 | 3): Uint8Array {
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
