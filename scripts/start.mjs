/** `npm start`: installs what is missing, builds, and runs the main job. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root, setup } from './setup.mjs';

setup();
const { buildAll } = await import('./build.mjs');
await buildAll();
const cli = join(root, 'dist/cli.js');
const { status } = spawnSync(process.execPath, [cli, 'start', ...process.argv.slice(2)], { stdio: 'inherit' });
process.exit(status ?? 1);
