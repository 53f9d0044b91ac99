/** A table of any format, as columns of cells. */
import type { Delimiter, Dialect } from './csv-dialect.ts';
import type { Decimal } from './csv-numbers.ts';

/**
 * A number; a text, which is any cell that the number would not be written back as ('007', '1.50', 'red', ''); or NaN
 * for a gap.
 */
export type Cell = number | string;

export interface Table {
  /** Stands in errors. */
  readonly name: string;
  readonly header: readonly string[] | undefined;
  /** By column, then by row. */
  readonly columns: readonly (readonly Cell[])[];
  readonly rows: number;
  /** The decimal mark of numbers among the texts; undefined where texts are never numbers, as in formats with types. */
  readonly decimal?: Decimal;
  readonly delimiter?: Delimiter;
  /** How the file is written, for people. */
  readonly note?: string;
}

/** A file whose first row is not yet known to be a header or data. */
export interface RawTable extends Dialect {
  readonly name: string;
  readonly first: readonly string[];
  /** Of the other rows. */
  readonly columns: readonly (readonly Cell[])[];
  readonly rows: number;
  readonly note: string;
}
