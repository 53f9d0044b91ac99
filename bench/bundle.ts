/** Bundles of the bench's pages and of the peers. */
import { build } from 'esbuild';
import { root } from '../scripts/setup.mjs';
import { esbuildWgsl } from '../scripts/wgsl.mjs';

/** Bundles by path. Entries that do not build (peers that are not installed) are reported and left out. */
export async function bundle(
  entries: Readonly<Record<string, string>>,
  platform: 'browser' | 'node' = 'browser',
): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const [path, entry] of Object.entries(entries)) {
    try {
      const { outputFiles } = await build({
        absWorkingDir: root,
        entryPoints: [entry],
        bundle: true,
        write: false,
        minify: true,
        format: 'esm',
        target: 'es2022',
        platform,
        // CommonJS packages load Node's modules by `require`, which an ES module has to make.
        ...(platform === 'node' && {
          banner: {
            js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
          },
        }),
        plugins: [esbuildWgsl()],
        logLevel: 'silent',
      });
      files.set(path, outputFiles[0]!.contents);
    } catch (error) {
      console.error(
        `bench: ${entry} does not build, its rows will be errors: ${(error as Error).message.split('\n')[0]}`,
      );
    }
  }
  return files;
}
