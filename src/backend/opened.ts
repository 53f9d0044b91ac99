/** The border where callers hand in a backend. */
import { OptionError } from '../core/errors.ts';
import { typeName } from '../core/options.ts';
import type { Backend } from './backend.ts';

/** The backend, once it is open. Throws `OptionError` for anything else. */
export async function opened(backend: Backend | Promise<Backend>): Promise<Backend> {
  const found = await backend;
  if (typeof found?.forward === 'function') return found;
  throw new OptionError(`expected a context, as createContext() makes it, got ${typeName(found)}`);
}
