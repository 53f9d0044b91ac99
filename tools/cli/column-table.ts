/** The columns of a table and what was made of them, as a table. */
import type { ColumnNote } from '../../src/data/column-notes.ts';
import { table } from '../common/output.ts';

const MOST_LISTED = 40;

export function columnTable(columns: readonly ColumnNote[]): string {
  const listed = columns
    .slice(0, MOST_LISTED)
    .map(({ column, kind, from, gaps, id }) => [column, id ? `${kind}; an id?` : kind, from, gaps || '']);
  const more = columns.length > MOST_LISTED ? `\n... and ${columns.length - MOST_LISTED} more columns` : '';
  return table(['column', 'kind', 'from', 'gaps'], listed) + more;
}
