/**
 * Writes the files of src/weights/golden, the golden vectors of the weight stream. Changing a line breaks every model.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadTypeScript } from './load-typescript.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const { goldenVectors } = await loadTypeScript(path('../test/golden-vectors.ts'));
const { goldenFields } = await loadTypeScript(path('../test/golden-fields.ts'));
const { goldenKernels } = await loadTypeScript(path('../test/golden-kernels.ts'));
const files = { 'stream-v1': goldenVectors, 'fields-v1': goldenFields, 'kernels-v1': goldenKernels };
for (const [name, make] of Object.entries(files)) {
  const file = path(`../src/weights/golden/${name}.txt`);
  const text = make();
  writeFileSync(file, text);
  console.log(`${file}: ${text.length} bytes`);
}
