/** The check of options of all public functions: rejects unknown names and values of the wrong type. */
import { OptionError } from './errors.ts';

/** `typeof`, but with arrays and null distinguished from other objects; 'any': the function checks the value itself. */
type TypeName = 'number' | 'string' | 'boolean' | 'bigint' | 'function' | 'object' | 'array' | 'null' | 'any';

/** The type of an option, several types, or the list of allowed values. */
export type OptionKind = TypeName | `${TypeName} or ${TypeName}` | readonly (string | boolean)[];

/** One entry for each option of `T`: the compiler reports a missing one. */
export type OptionTable<T> = { readonly [K in keyof T]-?: OptionKind };

/** `typeof`, but 'null', 'array' and 'NaN' by name. */
export const typeName = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isNaN(value) ? 'NaN' : typeof value;

/**
 * Checks names and types of `options`, which have to be an object and have the `required` ones; an option that is undefined counts as absent. `what` opens the message, for
 * example 'dataSet'. Throws `OptionError`.
 */
export function expectOptions<T extends object>(
  what: string,
  options: T,
  known: OptionTable<T>,
  required: readonly (keyof T & string)[] = [],
): void {
  if (typeName(options) !== 'object') {
    throw new OptionError(`${what}: expected an object with options, got ${typeName(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(known, name)) {
      const names = Object.keys(known).join(', ');
      throw new OptionError(
        `${what}: unknown option '${name}'. Expected only ${names}. Correct the name or remove it.`,
      );
    }
    const kind: OptionKind = known[name as keyof T];
    if (value === undefined || kind === 'any') continue;
    if (typeof kind !== 'string') {
      if (kind.includes(value)) continue;
      const got = typeof value === 'string' ? `'${value}'` : typeName(value);
      throw new OptionError(`${what}: expected ${name} to be one of ${kind.join(', ')}; got ${got}`);
    }
    if (!kind.split(' or ').includes(typeName(value))) {
      throw new OptionError(`${what}: expected ${name} to be of type ${kind}, got ${typeName(value)}`);
    }
  }
  for (const name of required) {
    if (options[name] === undefined) throw new OptionError(`${what}: expected ${name}, got none`);
  }
}
