/** Parts of the library that are files of their own. */
import { LoadError } from './errors.ts';

/** The module that an `import()` promises. Throws `LoadError` if it does not load: service workers forbid `import()`. */
export const onDemand = <T>(module: Promise<T>): Promise<T> =>
  module.catch(({ message }) => {
    throw new LoadError(
      `a part of weightless did not load: ${message}. In a service worker, import from weightless-gpu/static; ` +
        'elsewhere, serve every file of dist/ from one folder.',
      '',
    );
  });
