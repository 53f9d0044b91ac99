/** Writes test/golden/stream-v1.txt, the golden vectors of the weight stream. A change of this file breaks every model. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadTypeScript } from './load-typescript.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const { goldenVectors } = await loadTypeScript(path('../test/golden-vectors.ts'));
const file = path('../test/golden/stream-v1.txt');
const text = goldenVectors();
writeFileSync(file, text);
console.log(`${file}: ${text.length} bytes`);
