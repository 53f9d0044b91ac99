/** `npm run bench`: installs missing dependencies (the peers too, like `npm test`), bundles the bench and runs it. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cache, root, setup } from '../scripts/setup.mjs';

const here = join(root, 'bench');

/** Installs the peers of bench/package-lock.json once. If that fails, the run continues and their rows show errors. */
function installPeers() {
  if (existsSync(join(here, 'node_modules/.package-lock.json'))) return;
  console.error('bench: installing the peers (npm ci in bench/)');
  const windows = process.platform === 'win32';
  try {
    execFileSync(windows ? 'npm.cmd' : 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: here,
      stdio: ['ignore', 'inherit', 'inherit'],
      shell: windows,
    });
  } catch (error) {
    console.error(`bench: the peers could not be installed: ${error.message}`);
  }
}

const has = (...names) => names.some((name) => process.argv.includes(name));
setup({ gpuCompiler: has('--isa') });
if (!has('--tune', '--ours', '--check', '--golden', '--compare', '--kernel')) installPeers();
const { build } = await import('esbuild');
const { esbuildWgsl } = await import('../scripts/wgsl.mjs');
// Inside the repository, so that imports of packages resolve; not in dist/, which is packed and which builds clear.
const outfile = join(cache, 'bench.mjs');
await build({
  absWorkingDir: root,
  entryPoints: ['bench/cli.ts'],
  outfile,
  bundle: true,
  packages: 'external',
  external: [join(root, 'scripts/*')],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  plugins: [esbuildWgsl()],
  logLevel: 'warning',
});
const { main } = await import(pathToFileURL(outfile).href);
// Dawn keeps the process alive.
process.exit(await main(process.argv.slice(2)));
