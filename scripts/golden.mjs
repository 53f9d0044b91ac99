/**
 * Writes src/weights/golden/stream-v1.txt and fields-v1.txt, the golden vectors of the weight stream. Changing them
 * breaks every model.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadTypeScript } from './load-typescript.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const { goldenVectors } = await loadTypeScript(path('../test/golden-vectors.ts'));
const { goldenFields } = await loadTypeScript(path('../test/golden-fields.ts'));
for (const [name, make] of Object.entries({ 'stream-v1': goldenVectors, 'fields-v1': goldenFields })) {
  const file = path(`../test/golden/${name}.txt`);
  const text = make();
  writeFileSync(file, text);
  console.log(`${file}: ${text.length} bytes`);
}
