/**
 * Reads data frames from files that R's `save` wrote: the serialisation in XDR, versions 2 and 3, as section 1.8 of the
 * manual "R Internals" describes it. Only the types that data frames consist of are read.
 */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { limits } from './limits.ts';
import type { Cell, Table } from './table.ts';

/** A vector, list or string, with its attributes by name. */
interface Value {
  readonly items: readonly unknown[];
  readonly attributes: ReadonlyMap<string, Value>;
}

/** How R writes a missing integer. */
const NA_INTEGER = -(2 ** 31);

const NOTHING: Value = { items: [], attributes: new Map() };

class Reader {
  readonly #view: DataView;
  readonly #name: string;
  readonly #symbols: string[] = [];
  #at: number;

  constructor(file: Uint8Array, name: string) {
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    this.#name = name;
    if (file.length > limits.rBytes) this.#refuse(`at most ${limits.rBytes} bytes, got ${file.length}`);
    const magic = new TextDecoder().decode(file.subarray(0, 7));
    if (magic !== 'RDX2\nX\n' && magic !== 'RDX3\nX\n') this.#refuse(`a file of R's save in XDR, got ${quoted(magic)}`);
    this.#at = 7;
    const version = this.#int();
    this.#at += 8; // versions of the writer and the oldest reader
    if (version === 3)
      this.#bytes(this.#length(1)); // the encoding of the strings
    else if (version !== 2) this.#refuse(`version 2 or 3, got ${version}`);
  }

  /** The saved values by name. */
  saved(): ReadonlyMap<string, Value> {
    return this.#pairs(this.#int(), 0);
  }

  #refuse(what: string): never {
    throw new DataError(`${this.#name}: expected ${what}. It is damaged, or no data frame.`);
  }

  #need(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#view.byteLength) this.#refuse(`${bytes} more bytes, got the end of the file`);
    this.#at = at + bytes;
    return at;
  }

  #int(): number {
    return this.#view.getInt32(this.#need(4));
  }

  #bytes(count: number): string {
    const at = this.#need(count);
    return new TextDecoder().decode(new Uint8Array(this.#view.buffer, this.#view.byteOffset + at, count));
  }

  /** A count of items, each of at least `itemBytes` bytes: no more than the rest of the file can hold. */
  #length(itemBytes: number): number {
    const count = this.#int();
    if (count < 0 || count * itemBytes > this.#view.byteLength - this.#at) {
      this.#refuse(`a length that fits the file, got ${count}`);
    }
    return count;
  }

  /** A list of tagged values: how R stores attributes, and the saved values themselves. */
  #pairs(firstFlags: number, depth: number): Map<string, Value> {
    const found = new Map<string, Value>();
    let flags = firstFlags;
    for (; (flags & 255) === 2; flags = this.#int()) {
      if (flags & 0x200) this.#value(depth + 1);
      const tag = flags & 0x400 ? this.#symbol(this.#int()) : '';
      found.set(tag, this.#value(depth + 1));
    }
    if ((flags & 255) !== 254) this.#refuse(`the end of a list, got type ${flags & 255}`);
    return found;
  }

  #symbol(flags: number): string {
    const type = flags & 255;
    if (type === 1) {
      const name = this.#text(this.#int());
      this.#symbols.push(name ?? '');
      return name ?? '';
    }
    if (type !== 255) this.#refuse(`a symbol, got type ${type}`);
    return (
      this.#symbols[(flags >>> 8 || this.#int()) - 1] ?? this.#refuse('a symbol that was defined before, got another')
    );
  }

  #text(flags: number): string | undefined {
    if ((flags & 255) !== 9) this.#refuse(`a string, got type ${flags & 255}`);
    const length = this.#int();
    if (length === -1) return undefined;
    if (length < 0) this.#refuse(`a length of a string, got ${length}`);
    return this.#bytes(length);
  }

  #value(depth: number): Value {
    if (depth > limits.rDepth) this.#refuse(`values nested at most ${limits.rDepth} deep, got more`);
    const flags = this.#int();
    const type = flags & 255;
    if (type === 254) return NOTHING;
    if (type === 1 || type === 255) return { items: [this.#symbol(flags)], attributes: new Map() };
    if (type === 2) return { items: [...this.#pairs(flags, depth).values()], attributes: new Map() };
    const items = this.#items(type, depth);
    return { items, attributes: flags & 0x200 ? this.#pairs(this.#int(), depth) : new Map() };
  }

  #items(type: number, depth: number): unknown[] {
    const list = <T>(itemBytes: number, read: () => T) => {
      const count = this.#length(itemBytes);
      const items: T[] = [];
      for (let i = 0; i < count; i++) items.push(read());
      return items;
    };
    if (type === 10 || type === 13) return list(4, () => this.#int());
    if (type === 14) return list(8, () => this.#view.getFloat64(this.#need(8)));
    if (type === 16) return list(8, () => this.#text(this.#int()));
    if (type === 19) return list(4, () => this.#value(depth + 1));
    return this.#refuse(`numbers, strings and lists, got type ${type}`);
  }
}

/** The data frame called `frame`: factors as texts, numbers as they are, missing values as NaN. Throws `DataError`. */
export function readDataFrame(file: Uint8Array, frame: string, name: string): Table {
  const found = new Reader(file, name).saved().get(frame);
  const header = found?.attributes.get('names')?.items.map(String);
  if (!found || !header || header.length !== found.items.length || header.length === 0) {
    throw new DataError(`${name}: expected a data frame called ${frame}, with names of its columns`);
  }
  const columns = (found.items as Value[]).map((column) => cellsOf(column));
  const rows = columns[0]!.length;
  if (rows === 0 || columns.some(({ length }) => length !== rows)) {
    throw new DataError(
      `${name}: expected columns of one length, got ${columns.map(({ length }) => length).join(', ')}`,
    );
  }
  return { name: `${name}: ${frame}`, header, columns, rows };
}

function cellsOf({ items, attributes }: Value): Cell[] {
  const levels = attributes.get('levels')?.items;
  return (items ?? []).map((item): Cell => {
    if (typeof item === 'string') return item;
    if (typeof item !== 'number' || item === NA_INTEGER) return Number.NaN;
    if (!levels) return item;
    const level = levels[item - 1];
    return typeof level === 'string' ? level : Number.NaN;
  });
}
