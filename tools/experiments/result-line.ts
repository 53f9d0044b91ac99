/** The lines of results files, checked when they are read: they may come from other machines, versions and hands. */
import { quoted } from '../../src/core/quote.ts';
import { ExperimentError } from './errors.ts';
import type { Epoch, Result, RunSpec } from './spec.ts';

/** What a field must be, in words, and the test. */
type Check = readonly [expected: string, test: (value: unknown) => boolean];
/** Every field of a type, so that a new one is not forgotten. */
type Checks<T> = { readonly [K in keyof T]-?: Check };

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isShare = (value: unknown) => isNumber(value) && value <= 1;

const text: Check = ['text', (value) => typeof value === 'string'];
const number: Check = ['a number of at least 0', isNumber];
const count: Check = ['an integer of at least 0', isCount];
const share: Check = ['a number from 0 to 1', isShare];
const object: Check = ['an object', isObject];
const oneOf = (...names: readonly string[]): Check => [
  names.join(' or '),
  (value) => names.some((name) => name === value),
];
const optional = ([expected, test]: Check): Check => [
  `${expected}, or nothing`,
  (value) => value === undefined || test(value),
];

const epochChecks: Checks<Epoch> = {
  epoch: count,
  loss: number,
  accuracy: share,
  heldOutLoss: number,
  heldOutAccuracy: share,
  seconds: number,
};

const specChecks: Checks<RunSpec> = {
  key: text,
  series: text,
  data: text,
  network: text,
  seed: count,
  epochs: count,
  batch: count,
  rate: number,
  trainRows: optional(count),
  testRows: optional(count),
  validationRows: optional(count),
  shift: optional(count),
  start: optional(oneOf('calibrated', 'auto', 'scaled', 'raw')),
  extra: optional(object),
};

const isHistory = (value: unknown) =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((epoch) => isObject(epoch) && !wrongField(epoch, epochChecks));

const isConfusion = (value: unknown) =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((row) => Array.isArray(row) && row.length === value.length && row.every(isCount));

const resultChecks: Checks<Result> = {
  key: text,
  experiment: text,
  data: text,
  seed: count,
  spec: ['the options of the run', (value) => isObject(value) && !wrongField(value, specChecks)],
  version: text,
  date: ['a date in ISO 8601', (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value))],
  network: text,
  testAccuracy: share,
  validationAccuracy: optional(share),
  testAccuracyF16: optional(share),
  trainedParameters: count,
  regeneratedWeights: count,
  modelBytes: count,
  modelBytesF16: optional(count),
  predictMs: number,
  trainSeconds: number,
  trainCpuSeconds: number,
  peakRssBytes: number,
  history: ['a list of epochs', isHistory],
  confusion: ['a square matrix of counts', isConfusion],
  backend: oneOf('webgpu', 'cpu'),
  adapter: text,
  extra: optional(object),
};

/** The first field that fails its check. */
function wrongField<T>(value: Readonly<Record<string, unknown>>, checks: Checks<T>): keyof T | undefined {
  return (Object.keys(checks) as (keyof T)[]).find((name) => !checks[name][1](value[name as string]));
}

/** The result in a line of a file, counted from 1. Throws `ExperimentError`. */
export function resultOf(line: string, file: string, number: number): Result {
  const remedy = 'Remove that line: its run is made again.';
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    // named below
  }
  if (!isObject(found))
    throw new ExperimentError(`${file}: expected a run as JSON in line ${number}, got ${quoted(line)}. ${remedy}`);
  const wrong = wrongField(found, resultChecks);
  if (wrong === undefined) return found as unknown as Result;
  throw new ExperimentError(
    `${file}: expected a run as JSON in line ${number} whose ${wrong} is ${resultChecks[wrong][0]}, got ${quoted(found[wrong])}. ${remedy}`,
  );
}
