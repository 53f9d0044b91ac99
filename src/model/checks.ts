/** Checks of untrusted JSON: each returns its value with a type, or throws a `ModelFileError` that names the place. */
import { ModelFileError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { asObject } from './container.ts';
import { MODEL_FILE } from './metadata.ts';

/** `at` names the place in messages: preparation.inputs.columns.3.mean. */
export type Check<T> = (value: unknown, at: string) => T;

function fail(at: string, expected: string, got: unknown): never {
  const came = got === undefined ? 'nothing' : quoted(got);
  throw new ModelFileError(`${MODEL_FILE}: expected ${at} to be ${expected}, got ${came}. The file is damaged.`);
}

export const text: Check<string> = (value, at) => (typeof value === 'string' ? value : fail(at, 'a string', value));

export const yesOrNo: Check<boolean> = (value, at) =>
  typeof value === 'boolean' ? value : fail(at, 'true or false', value);

export const finite: Check<number> = (value, at) =>
  Number.isFinite(value) ? (value as number) : fail(at, 'a finite number', value);

/** A finite number from `least` to `most`. */
export const within =
  (least: number, most: number): Check<number> =>
  (value, at) => {
    const found = finite(value, at);
    return found >= least && found <= most ? found : fail(at, `a number from ${least} to ${most}`, value);
  };

export const positive: Check<number> = (value, at) =>
  finite(value, at) > 0 ? (value as number) : fail(at, 'a number above 0', value);

export const size: Check<number> = (value, at) =>
  Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : fail(at, 'an integer of 1 or more', value);

export const oneOf =
  <const T extends readonly unknown[]>(values: T): Check<T[number]> =>
  (value, at) =>
    values.includes(value) ? value : fail(at, `one of ${values.join(', ')}`, value);

export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, at) =>
    value === undefined ? undefined : check(value, at);

export const list =
  <T>(check: Check<T>, least = 0): Check<readonly T[]> =>
  (value, at) =>
    Array.isArray(value) && value.length >= least
      ? Array.from(value, (item, i) => check(item, `${at}.${i}`)) // an empty place is an item too
      : fail(at, `a list of ${least} items or more`, value);

/** The names of a list, which has to have each of them once. */
export const distinct =
  <T>(check: Check<readonly T[]>, nameOf: (item: T) => string): Check<readonly T[]> =>
  (value, at) => {
    const items = check(value, at);
    const found = new Set<string>();
    for (const item of items) {
      if (found.has(nameOf(item))) fail(at, 'names that differ', nameOf(item));
      found.add(nameOf(item));
    }
    return items;
  };

export const names: Check<readonly string[]> = distinct(list(text), (name) => name);
export const someNames: Check<readonly string[]> = distinct(list(text, 1), (name) => name);

/** One check for each field of `T`; that of an optional field also takes undefined. */
export type Fields<T> = {
  readonly [K in keyof T]-?: object extends Pick<T, K> ? Check<T[K] | undefined> : Check<T[K]>;
};

/** An object with these fields and no others. */
export const record =
  <T>(fields: Fields<T>): Check<T> =>
  (value, at) => {
    const given = new Map(Object.entries(asObject(MODEL_FILE, at, value)));
    const known = Object.entries(fields) as [string, Check<unknown>][];
    for (const name of given.keys()) {
      if (!Object.hasOwn(fields, name))
        fail(`${at}`, `an object of ${Object.keys(fields).join(', ')}`, { [name]: '...' });
    }
    const made = known.map(([name, check]) => [name, check(given.get(name), `${at}.${name}`)] as const);
    return Object.fromEntries(made.filter(([, found]) => found !== undefined)) as T;
  };

/** An object whose field `tag` says which of several it is. */
export const tagged =
  <Tag extends string, T extends { readonly [K in Tag]: string }>(
    tag: Tag,
    kinds: { readonly [K in T[Tag]]: Check<Extract<T, { readonly [P in Tag]: K }>> },
  ): Check<T> =>
  (value, at) => {
    const found = asObject(MODEL_FILE, at, value)[tag];
    if (typeof found !== 'string' || !Object.hasOwn(kinds, found)) {
      return fail(`${at}.${tag}`, `one of ${Object.keys(kinds).join(', ')}`, found);
    }
    return (kinds as { readonly [K in string]: Check<T> })[found]!(value, at);
  };
