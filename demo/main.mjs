/** `npm run demo`: sets up, builds and serves the demo. `-- --build DIR` only writes it to DIR; `-- --port N`. */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { root, setup } from '../scripts/setup.mjs';
import { serveFolder } from './serve.mjs';

const USAGE = `Usage: npm run demo [-- options]
  --build DIR  write the page into a folder that any file host can serve, and end
  --port N     port of the server on localhost (default 8000)`;

function readOptions() {
  try {
    const { values } = parseArgs({
      options: { build: { type: 'string' }, port: { type: 'string', default: '8000' }, help: { type: 'boolean' } },
    });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65535)
      throw new Error(`expected --port of 0 to 65535, got '${values.port}'`);
    return { ...values, port };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

const { build, port, help } = readOptions();
if (help) {
  console.log(USAGE);
  process.exit(0);
}
setup();
const { buildDemo, folderBytes } = await import('./build.mjs');
const folder = build ? resolve(build) : join(root, 'dist/demo');
await buildDemo(folder);
console.log(`demo: ${folder}, ${(folderBytes(folder) / 1e6).toFixed(1)} MB, most of it the images to train on`);
if (!build) {
  const server = serveFolder(folder);
  server.on('error', (error) => {
    console.error(`demo: could not listen on port ${port}: ${error.message}. Another one: npm run demo -- --port 8080`);
    process.exit(1);
  });
  server.listen(port, 'localhost', () =>
    console.log(`demo: http://localhost:${server.address().port}/  (Ctrl+C ends it)`),
  );
}
