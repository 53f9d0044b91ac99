/** The order of names: of files, classes and categories. */

/** By name and then by number: class 2 stands before class 10. */
const byName = new Intl.Collator('en', { numeric: true }).compare;

export const sorted = (names: Iterable<string>): string[] =>
  [...names].sort((a, b) => byName(a, b) || (a < b ? -1 : 1));
