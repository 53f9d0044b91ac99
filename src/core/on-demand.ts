/** Parts of the library that are files of their own. */
import { LoadError } from './errors.ts';

/** The module that an `import()` promises. Throws `LoadError` if it does not load: service workers forbid `import()`. */
export const onDemand = <T>(module: Promise<T>): Promise<T> =>
  module.catch(({ message }) => {
    throw new LoadError(
      `a part of weightless did not load: ${message}. Serve all of dist/; in a service worker, import ` +
        'weightless-gpu/static.',
      '',
    );
  });
