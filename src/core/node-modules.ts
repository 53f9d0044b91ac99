/** Node's own modules, for code that also runs in pages. */

interface Process {
  getBuiltinModule?(name: string): unknown;
}

/** The module, for example 'node:zlib'; undefined in a page. */
export const nodeModule = <T>(name: string): T | undefined =>
  (globalThis as { process?: Process }).process?.getBuiltinModule?.(name) as T | undefined;
