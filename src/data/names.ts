/** Names of files, classes, columns and categories: their order, and lists of them in messages. */
import { quoted } from '../core/quote.ts';

/** By name and then by number: class 2 stands before class 10. */
const byName = new Intl.Collator('en', { numeric: true }).compare;

export const sorted = (names: Iterable<string>): string[] =>
  [...names].sort((a, b) => byName(a, b) || (a < b ? -1 : 1));

/** A list for messages: all names, or the first five and the last. */
export const listed = (names: readonly string[]): string =>
  names.length > 6 ? `${names.slice(0, 5).join(', ')}, ... ${names.at(-1)}` : names.join(', ');

/** The same in quotes: the first six names, and how many there are if that is not all. */
export const quotedList = (names: readonly string[]): string =>
  names.slice(0, 6).map(quoted).join(', ') + (names.length > 6 ? `, ... (${names.length})` : '');
