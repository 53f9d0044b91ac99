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
  let attributes = 0;
  let label = 0; // which attribute is the class
  let inside = false; // of a relational attribute
  let inData = false;
  text.split(/\r\n|\r|\n/).forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('%')) return;
    const where = `${name}, line ${i + 1}`;
    if (inData) series.push(readRow(line, label === attributes - 1, where));
    else if (/^@data\b/i.test(line)) {
      inData = true;
      if (classes.length > 0 && label > 0 && label < attributes - 1) {
        throw new DataError(
          `${name}: expected the class as the first or the last attribute, got it as number ${label + 1}`,
        );
      }
    } else if (/^@end\b/i.test(line)) inside = false;
    else if (/^@attribute\s/i.test(line) && !inside) {
      const [, listed] = /\{(.*)\}\s*$/.exec(line) ?? [];
      if (listed !== undefined) {
        classes = listed.split(',').map(unquoted);
        label = attributes;
      }
      inside = /\srelational$/i.test(line);
      attributes++;
    }
  });
  if (series.length === 0) throw new DataError(`${name}: expected a line '@data' and series below it, got none`);
  if (classes.length === 0) {
    throw new DataError(`${name}: expected the classes as an attribute, such as '@attribute class {a, b}', got none`);
  }
  return { series, classes };
}

const unquoted = (text: string): string => text.trim().replace(/^(['"])(.*)\1$/, '$2');

/** The class is the last or the first value. */
function readRow(line: string, atEnd: boolean, where: string): Series {
  const [, quote, channels, after] = /^(['"])(.*)\1\s*,(.*)$/.exec(line) ?? [];
  if (atEnd && quote !== undefined) {
    // A relational attribute: channels with \n between them.
    const parts = channels!.split('\\n').filter((part) => part !== '');
    return { label: unquoted(after!), channels: parts.map((part) => readChannel(part, where)) };
  }
  const comma = atEnd ? line.lastIndexOf(',') : line.indexOf(',');
  if (comma < 0) throw new DataError(`${where}: expected numbers and a class, got ${quoted(line.slice(0, 80))}`);
  const [before, behind] = [line.slice(0, comma), line.slice(comma + 1)];
  const [label, numbers] = atEnd ? [behind, before] : [before, behind];
  return { label: unquoted(label), channels: [readChannel(numbers, where)] };
}
