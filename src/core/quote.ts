/**
 * Text from files and callers, made safe for messages and terminals: a class name may hold an escape sequence that
 * retitles a terminal or moves its cursor, and may be a megabyte long.
 */

/** The most UTF-16 units of one quoted value. */
const MOST_QUOTED = 80;

/** The most UTF-16 units of one message. */
const MOST_MESSAGE = 4000;

/** Controls (C0, C1, DEL), format characters such as bidirectional overrides, lone surrogates, line separators. */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const escapeUnits = (text: string): string =>
  [...Array(text.length).keys()].map((i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');

/** Every unsafe character but those in `allowed` as `\uXXXX`. Within JSON text the result parses to the same value. */
export const escapeControls = (text: string, allowed = ''): string =>
  text.replace(unsafe, (found) => (allowed.includes(found) ? found : escapeUnits(found)));

/** At most `most` units: the end stays, since it says what to do. */
function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const tail = most >> 2;
  const start = text.slice(0, most - tail - 3).replace(/[\ud800-\udbff]$/, ''); // no half of a surrogate pair
  return `${start}...${text.slice(text.length - tail).replace(/^[\udc00-\udfff]/, '')}`;
}

/** Several lines for a reader: escaped but for newlines and tabs, and cut in the middle. */
export const legible = (text: string, most = MOST_MESSAGE): string =>
  shorten(escapeControls(shorten(text, most), '\n\t'), most);

/** A value as an error message quotes it: a string in quotes, anything else as JSON; one line of at most 82 characters. */
export function quoted(value: unknown): string {
  if (typeof value !== 'string') return escapeControls(shorten(jsonOf(value), MOST_QUOTED));
  return `'${escapeControls(shorten(value, MOST_QUOTED))}'`;
}

function jsonOf(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'symbol') return String(value); // JSON has neither NaN nor BigInt
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return typeof value; // a cycle, or a toJSON that throws
  }
}
