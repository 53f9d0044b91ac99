/**
 * `npm run fuzz -- --cases 1000000 --seed 1`: damaged model files, checkpoints, data files, command lines, networks and
 * graphs. Each case has to end in a result or in a named error, within 2 s and 256 MiB. Prints the outcomes, the
 * slowest case and the largest; exit code 1 if a case failed. `--only NAME` runs the targets whose name contains NAME.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { cache, root } from './setup.mjs';
import { esbuildWgsl } from './wgsl.mjs';

const { values } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const [cases, seed] = [Number(values.cases), Number(values.seed)];
if (!Number.isSafeInteger(cases) || cases < 1 || !Number.isInteger(seed) || Math.abs(seed) > 2 ** 31 - 1) {
  console.error(`fuzz: expected --cases N and --seed N (31 bits), got ${values.cases} and ${values.seed}`);
  process.exit(2);
}
// Inside the repository, so that packages are found from there.
const outdir = join(cache, 'fuzz');
await build({
  absWorkingDir: root,
  entryPoints: ['test/fuzz/main.ts'],
  outdir,
  outExtension: { '.js': '.mjs' },
  splitting: true, // modules that are loaded on demand stay apart, and run in their order
  bundle: true,
  packages: 'external',
  format: 'esm',
  platform: 'node',
  target: 'node20',
  plugins: [esbuildWgsl()],
  loader: { '.txt': 'text' },
  logLevel: 'warning',
});
const { fuzzAll } = await import(pathToFileURL(join(outdir, 'main.mjs')).href);
process.exit((await fuzzAll({ cases, seed, only: values.only })) ? 0 : 1);
