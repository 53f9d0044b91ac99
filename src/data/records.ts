/** Objects as a table: one object is a row, its properties are the columns. */
import { DataError } from '../core/errors.ts';
import { typeName } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import { exactCell } from './csv-numbers.ts';
import { limits } from './limits.ts';
import type { Cell, Table } from './table.ts';

export type RowObject = Readonly<Record<string, unknown>>;

/** An empty cell. */
const GAP = '';

/** Null and undefined are gaps, dates become ISO 8601. Undefined for what no cell can hold. */
function cellOf(value: unknown): Cell | undefined {
  if (value === null || value === undefined) return GAP;
  if (typeof value === 'string') return exactCell(value, '.');
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value); // the texts are gaps
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return exactCell(String(value), '.');
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? GAP : value.toISOString();
  return undefined;
}

/** Collects rows as columns, in the order in which their names first come. */
export class Records {
  readonly #name: string;
  readonly #columns = new Map<string, Cell[]>();
  #rows = 0;

  /** `name` stands in errors. */
  constructor(name: string) {
    this.#name = name;
  }

  /** Throws `DataError` for what is no object of texts, numbers, booleans, dates and nulls. */
  add(row: unknown): void {
    const number = this.#rows + 1;
    if (typeName(row) !== 'object') {
      throw new DataError(`${this.#name}: expected row ${number} to be an object, got ${quoted(row)}`);
    }
    for (const [key, value] of Object.entries(row as RowObject)) {
      const cell = cellOf(value);
      if (cell === undefined) {
        throw new DataError(
          `${this.#name}: expected texts, numbers, booleans, dates or nulls, got ${typeName(value)} in row ${number}, ` +
            `column ${quoted(key)}. Take it apart into columns of its own, or leave it out.`,
        );
      }
      if (typeof cell === 'string' && cell.length > limits.cellLength) {
        throw new DataError(
          `${this.#name}: expected cells of at most ${limits.cellLength} characters, got ${cell.length} in row ${number}, ` +
            `column ${quoted(key)}. Leave the column out.`,
        );
      }
      const cells = this.#column(key);
      while (cells.length < this.#rows) cells.push(GAP);
      cells.push(cell);
    }
    this.#rows++;
    if (this.#rows * this.#columns.size <= limits.cells) return;
    throw new DataError(
      `${this.#name}: expected at most ${limits.cells} cells, got ${this.#columns.size} columns in row ${this.#rows}. ` +
        'Leave columns or rows out.',
    );
  }

  #column(key: string): Cell[] {
    const known = this.#columns.get(key);
    if (known) return known;
    if (this.#columns.size === limits.columns) {
      throw new DataError(`${this.#name}: expected at most ${limits.columns} columns, got more. Leave some out.`);
    }
    const made: Cell[] = [];
    this.#columns.set(key, made);
    return made;
  }

  /** Throws `DataError` where there are no rows or no columns. */
  table(note: string): Table {
    if (this.#columns.size === 0) throw new DataError(`${this.#name}: expected rows with columns, got none`);
    for (const cells of this.#columns.values()) while (cells.length < this.#rows) cells.push(GAP);
    const header = [...this.#columns.keys()];
    return { name: this.#name, header, columns: [...this.#columns.values()], rows: this.#rows, decimal: '.', note };
  }
}
