/** The path that a request asks for, for the file servers of the demo, the bench and the tests. */
import { posix } from 'node:path';

/**
 * Relative to the served folder, decoded, without `..` and without a slash at its start; '' for the folder itself. Undefined
 * for what no file can answer (status 400): broken escapes, NUL, backslashes, a path that leaves the folder.
 */
export function requestPath(url = '/') {
  const [path] = /^[^?#]*/.exec(url);
  if (!path.startsWith('/')) return undefined;
  let decoded;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  if (/[\0\\]/.test(decoded) || decoded.split('/').includes('..')) return undefined;
  return posix.normalize(decoded).replace(/^\/+/, '').replace(/^\.$/, '');
}
