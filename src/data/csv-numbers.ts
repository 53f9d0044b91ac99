/** Numbers and gaps as people and programs write them into tables. */

export type Decimal = '.' | ',';

/** A number as it stands in a cell. */
export interface WrittenNumber {
  readonly value: number;
  /** A sign of a currency, '%', or nothing. */
  readonly unit: string;
}

/** Missing in a column of any kind, in lower case: what pandas, R, spreadsheets and databases (`\N`) write. */
export const gaps: ReadonlySet<string> = new Set([
  ...['', '?', 'na', 'nan', 'n/a', 'null', '(null)', '\\n', '#n/a', '#n/a n/a', '#na', '<na>', '-nan', 'n.a.'],
]);

/** Missing in a column of numbers: no value to compute with. In a column of texts they are texts. */
export const numericGaps: ReadonlySet<string> = new Set([
  ...['none', '-', '--', '\u2013', '\u2014', '.', 'inf', '+inf', '-inf', 'infinity', '+infinity', '-infinity'],
  ...['\u221e', '+\u221e', '-\u221e', '\u2212\u221e', '#div/0!', '#value!', '#ref!', '#name?', '#num!', '#null!'],
  ...['1.#inf', '-1.#inf', '1.#ind', '-1.#ind', '1.#qnan', '-1.#qnan'],
]);

/** No gap is longer; a long cell is not put into lower case. */
const LONGEST_GAP = 10;

export const isGap = (cell: string): boolean => cell.length <= LONGEST_GAP && gaps.has(cell.toLowerCase());

export const isNumericGap = (cell: string): boolean =>
  cell.length <= LONGEST_GAP && (gaps.has(cell.toLowerCase()) || numericGaps.has(cell.toLowerCase()));

// No digit can be matched in two ways, so that the time is linear in the length of a cell.
const patterns: { readonly [D in Decimal]: { readonly plain: RegExp; readonly grouped: RegExp } } = {
  '.': {
    plain: /^(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i,
    grouped: /^\d{1,3}([,'’ \u00a0\u2009\u202f])\d{3}(?:\1\d{3})*(?:\.\d*)?$/,
  },
  ',': {
    plain: /^(?:\d+(?:,\d*)?|,\d+)(?:e[+-]?\d+)?$/i,
    grouped: /^\d{1,3}([.'’ \u00a0\u2009\u202f])\d{3}(?:\1\d{3})*(?:,\d*)?$/,
  },
};

const CURRENCIES = '$€£¥₹';

/** Sign, unit and digits of a cell; digits are not checked yet. */
function takeApart(cell: string): { sign: string; unit: string; digits: string } {
  let [sign, unit, start, end] = ['', '', 0, cell.length];
  for (; start < end; start++) {
    const mark = cell[start]!;
    if (!sign && '+-\u2212'.includes(mark)) sign = mark === '+' ? '+' : '-';
    else if (!unit && CURRENCIES.includes(mark)) unit = mark;
    else if (mark !== ' ' && mark !== '\u00a0') break;
  }
  const last = cell[end - 1];
  if (!unit && end > start && last !== undefined && (last === '%' || CURRENCIES.includes(last))) {
    unit = last;
    end--;
    while (end > start && ' \u00a0\u202f'.includes(cell[end - 1]!)) end--;
  }
  return { sign, unit, digits: cell.slice(start, end) };
}

/** Undefined for what is no number: texts and gaps. */
export function readNumber(cell: string, decimal: Decimal): WrittenNumber | undefined {
  const { sign, unit, digits } = takeApart(cell);
  const { plain, grouped } = patterns[decimal];
  let text = digits;
  if (!plain.test(digits)) {
    const mark = grouped.exec(digits)?.[1];
    if (mark === undefined) return undefined;
    text = digits.replaceAll(mark, '');
  }
  return { value: Number(sign + (decimal === ',' ? text.replace(',', '.') : text)), unit };
}

/** A cell as a number if the number is written back as the same text. */
export function exactCell(cell: string, decimal: Decimal): number | string {
  if (cell === '' || (decimal === ',' && cell.includes('.'))) return cell;
  const value = Number(cell);
  return String(value) === cell && Number.isFinite(value) ? value : cell;
}

/**
 * What a cell tells of the decimal mark of its file: that it is this one, 'either' for what could be a group of
 * thousands as well ('1,234'), or nothing.
 */
export function decimalEvidence(cell: string): Decimal | 'either' | undefined {
  const { digits } = takeApart(cell);
  const [asPoint, asComma] = [readNumber(digits, '.'), readNumber(digits, ',')];
  if (!/[.,]/.test(digits) || (!asPoint && !asComma)) return undefined;
  if (!asPoint || !asComma) return asPoint ? '.' : ',';
  if (/^0[.,]/.test(digits)) return digits[1] as Decimal; // no group of thousands starts with 0
  return asPoint.value === asComma.value ? undefined : 'either';
}
