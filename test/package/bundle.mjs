/**
 * `node bundle.mjs BUNDLER OUT`: bundles index.html and page.js of the current folder into OUT, with the bundler's
 * defaults.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes the page for a bundler that reads scripts only; `kind` is the attribute of the script tag. */
const writePage = (out, kind) =>
  writeFileSync(join(out, 'index.html'), readFileSync('index.html', 'utf8').replace('type="module"', kind));

const bundlers = {
  async esbuild(out) {
    const { build } = await import('esbuild');
    await build({ entryPoints: ['page.js'], bundle: true, format: 'esm', outdir: out });
    writePage(out, 'type="module"');
  },
  async parcel(out) {
    const parcel = join(import.meta.dirname, 'node_modules/parcel/lib/bin.js');
    execFileSync(process.execPath, [
      parcel,
      'build',
      'index.html',
      '--no-cache',
      '--public-url',
      './',
      '--dist-dir',
      out,
    ]);
  },
  async rollup(out) {
    const { rollup } = await import('rollup');
    const { nodeResolve } = await import('@rollup/plugin-node-resolve');
    const bundle = await rollup({
      input: 'page.js',
      plugins: [nodeResolve()],
      onwarn({ message }) {
        throw new Error(message);
      },
    });
    await bundle.write({ dir: out, format: 'es' });
    writePage(out, 'type="module"');
  },
  async vite(out) {
    const { build } = await import('vite');
    await build({ base: './', build: { outDir: out }, logLevel: 'warn' });
  },
  async webpack(out) {
    const { default: webpack } = await import('webpack');
    const stats = await new Promise((resolve, reject) => {
      const output = { path: out, filename: 'page.js' };
      webpack({ mode: 'production', entry: './page.js', output }, (error, stats) =>
        error ? reject(error) : resolve(stats),
      );
    });
    if (stats.hasErrors()) throw new Error(stats.toString());
    writePage(out, 'defer');
  },
};

const [, , name, out] = process.argv;
await bundlers[name](out);
