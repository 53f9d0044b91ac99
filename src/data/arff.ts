/**
 * Reads .arff files of time series (the format of Weka): numeric attributes and a class, or, with several channels, one
 * relational attribute of a line a channel and a class.
 */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import type { Series, SeriesFile } from './series.ts';
import { readChannel } from './ts-file.ts';

/** Throws `DataError` that names the line. */
export function readArff(text: string, name: string): SeriesFile {
  const series: Series[] = [];
  let classes: string[] = [];
  let inData = false;
  text.split(/\r\n|\r|\n/).forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('%')) return;
    const where = `${name}, line ${i + 1}`;
    if (inData) series.push(readRow(line, where));
    else if (/^@data\b/i.test(line)) inData = true;
    else {
      const [, listed] = /^@attribute\s.*\{(.*)\}\s*$/i.exec(line) ?? [];
      if (listed !== undefined) classes = listed.split(',').map(unquoted);
    }
  });
  if (series.length === 0) throw new DataError(`${name}: expected a line '@data' and series below it, got none`);
  if (classes.length === 0) {
    throw new DataError(`${name}: expected the classes as an attribute, such as '@attribute class {a, b}', got none`);
  }
  return { series, classes };
}

const unquoted = (text: string): string => text.trim().replace(/^(['"])(.*)\1$/, '$2');

function readRow(line: string, where: string): Series {
  const [, quote, channels, after] = /^(['"])(.*)\1\s*,(.*)$/.exec(line) ?? [];
  if (quote !== undefined) {
    // A relational attribute: channels with \n between them.
    const parts = channels!.split('\\n').filter((part) => part !== '');
    return { label: unquoted(after!), channels: parts.map((part) => readChannel(part, where)) };
  }
  const last = line.lastIndexOf(',');
  if (last < 0) throw new DataError(`${where}: expected numbers and a class, got ${quoted(line.slice(0, 80))}`);
  return { label: unquoted(line.slice(last + 1)), channels: [readChannel(line.slice(0, last), where)] };
}
