/**
 * Reads .ts files, the format of the archives of time series (timeseriesclassification.com): comments, a header of lines
 * that begin with @, then a series a line, channels and class separated by colons.
 */
import { DataError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import type { Series, SeriesFile } from './series.ts';

interface Header {
  timestamps: boolean;
  labelled: boolean;
  classes: string[];
}

/** Throws `DataError` that names the line. */
export function readTsFile(text: string, name: string): SeriesFile {
  const header: Header = { timestamps: false, labelled: true, classes: [] };
  const series: Series[] = [];
  let inData = false;
  let channels: number | undefined;
  text.split(/\r\n|\r|\n/).forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith('%')) return;
    const where = `${name}, line ${i + 1}`;
    if (!inData) {
      inData = readHeaderLine(line, where, header);
      return;
    }
    const one = readSeries(line, where, header);
    channels ??= one.channels.length;
    if (one.channels.length !== channels) {
      throw new DataError(`${where}: expected ${channels} channels as in the lines before, got ${one.channels.length}`);
    }
    series.push(one);
  });
  if (!inData) throw new DataError(`${name}: expected a line '@data' and series below it, got none`);
  if (series.length === 0) throw new DataError(`${name}: expected series below '@data', got none`);
  return { series, ...(header.classes.length && { classes: header.classes }) };
}

/** Returns whether the data begin after this line. Lines of the header that change nothing here are skipped. */
function readHeaderLine(line: string, where: string, header: Header): boolean {
  if (!line.startsWith('@')) {
    throw new DataError(
      `${where}: expected a line of the header, which begins with @, or '@data'; got ${quoted(line)}`,
    );
  }
  const [word, ...values] = line.split(/\s+/) as [string, ...string[]];
  const isTrue = values[0]?.toLowerCase() === 'true';
  switch (word.toLowerCase()) {
    case '@data':
      return true;
    case '@timestamps':
      header.timestamps = isTrue;
      break;
    case '@classlabel':
      header.labelled = isTrue;
      header.classes = isTrue ? values.slice(1) : [];
      break;
    case '@targetlabel':
      if (isTrue) {
        throw new DataError(`${where}: expected classes (@classLabel true), got the targets of a regression`);
      }
  }
  return false;
}

function readSeries(line: string, where: string, { timestamps, labelled }: Header): Series {
  // A time stamp may hold colons, inside its parentheses.
  const parts = timestamps ? line.split(/:(?![^(]*\))/) : line.split(':');
  const label = labelled ? parts.pop()!.trim() : undefined;
  if (parts.length === 0 || label === '') {
    throw new DataError(
      `${where}: expected channels and a class with ':' between them, got ${quoted(line.slice(0, 80))}`,
    );
  }
  return { label, channels: parts.map((part) => readChannel(timestamps ? stampedValues(part) : part, where)) };
}

/** The values of (time,value),(time,value), which stand in the order of time. */
const stampedValues = (part: string): string =>
  [...part.matchAll(/\(([^)]*)\)/g)].map(([, pair]) => pair!.slice(pair!.lastIndexOf(',') + 1)).join();

/** Numbers with commas between them; `?`, NaN and nothing are gaps. */
export function readChannel(text: string, where: string): Float64Array {
  if (text.trim() === '') return new Float64Array(0);
  return Float64Array.from(text.split(','), (written) => {
    const cell = written.trim();
    if (cell === '' || cell === '?' || cell.toLowerCase() === 'nan') return Number.NaN;
    const value = Number(cell);
    if (Number.isFinite(value)) return value;
    throw new DataError(`${where}: expected numbers, or ? for a gap, got ${quoted(cell)}`);
  });
}
