/** A file server for a folder: what any host does. */
import { createReadStream, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { requestPath } from '../scripts/request-path.mjs';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
};

/** The file of a path, if the folder has one: a link may not lead out of it. */
function fileIn(folder, path) {
  try {
    const file = realpathSync(join(folder, path || 'index.html'));
    return file.startsWith(realpathSync(folder) + sep) && statSync(file).isFile() ? file : undefined;
  } catch {
    return undefined; // not there, a name too long, or no permission
  }
}

/** A server of the folder's files, not yet listening. No request ends it: 400 for a broken path, 404 for an unknown one. */
export const serveFolder = (folder) =>
  createServer((request, response) => {
    const path = requestPath(request.url);
    const file = path === undefined ? undefined : fileIn(folder, path);
    if (!file) {
      response.writeHead(path === undefined ? 400 : 404, { 'content-type': 'text/plain' });
      response.end(path === undefined ? 'bad request' : 'not found');
      return;
    }
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' });
    pipeline(createReadStream(file), response, () => {}); // a reader that leaves, or a file that goes, ends this answer only
  });
