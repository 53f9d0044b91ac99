/** Dates and times as people and programs write them into tables. */

/** Which of year, month and day comes first. 'dmy' and 'mdy' look alike, so a whole column has to decide. */
export const dateOrders = ['ymd', 'dmy', 'mdy'] as const;
export type DateOrder = (typeof dateOrders)[number];

const MILLISECONDS_A_DAY = 86_400_000;

/** No date is longer; a long cell is not matched. */
const LONGEST_DATE = 40;

const time = /(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z| ?[+-]\d{2}:?\d{2})?)?$/.source;
const patterns: { readonly [O in DateOrder]: RegExp } = {
  ymd: new RegExp(`^(\\d{4})([-/.])(\\d{1,2})\\2(\\d{1,2})${time}`),
  dmy: new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4})${time}`),
  mdy: new RegExp(`^(\\d{1,2})([-/.])(\\d{1,2})\\2(\\d{4})${time}`),
};

/** Places of year, month and day among the three numbers. */
const places = { ymd: [0, 1, 2], dmy: [2, 1, 0], mdy: [2, 0, 1] } as const;

/**
 * Days since 1970-01-01 in UTC, with the time of day as the fraction; undefined for what is no date of this order. Reads
 * 2024-01-31, 2024/1/31 and 31.1.2024, each with or without a time (12:30, 12:30:05.25) and an offset (Z, +02:00). A time
 * without an offset counts as UTC, so that a date means the same number on every machine.
 */
export function readDate(text: string, order: DateOrder): number | undefined {
  if (text.length > LONGEST_DATE) return undefined;
  const [, first, , second, third, hours = '0', minutes = '0', seconds = '0', fraction = '0', zone = 'Z'] =
    patterns[order].exec(text) ?? [];
  if (first === undefined) return undefined;
  const [year, month, day] = places[order].map((place) => Number([first, second, third][place])) as [
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day); // Date.UTC would take the years 0 to 99 as 1900 to 1999
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined; // the 31st of February
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) > 59) return undefined;
  const clock = (60 * Number(hours) + Number(minutes)) * 60 + Number(seconds) + Number(fraction);
  const [, sign, zoneHours, zoneMinutes] = /([+-])(\d{2}):?(\d{2})/.exec(zone) ?? [];
  const offset = sign ? Number(`${sign}1`) * (60 * Number(zoneHours) + Number(zoneMinutes)) * 60 : 0;
  return (date.getTime() + 1000 * (clock - offset)) / MILLISECONDS_A_DAY;
}

/** The same number for a Date; NaN for an invalid one. */
export const daysOf = (date: Date): number => date.getTime() / MILLISECONDS_A_DAY;
