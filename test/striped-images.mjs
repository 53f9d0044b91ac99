/**
 * A small data set as IDX files for the command line: 5 x 4 pictures in 3 classes, by the third of the rows that is
 * lit.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Creates the folder, with `trained` training pictures and 60 test pictures. */
export function writeStripedImages(directory, trained) {
  mkdirSync(directory);
  for (const [part, rows] of [
    ['train', trained],
    ['t10k', 60],
  ]) {
    const images = Buffer.alloc(16 + rows * 20);
    images.set([0, 0, 8, 3, 0, 0, rows >> 8, rows & 255, 0, 0, 0, 5, 0, 0, 0, 4]);
    const labels = Buffer.alloc(8 + rows);
    labels.set([0, 0, 8, 1, 0, 0, rows >> 8, rows & 255]);
    for (let i = 0; i < rows; i++) {
      labels[8 + i] = i % 3;
      images.fill(100 + ((i * 37) % 100), 16 + 20 * i + 6 * (i % 3), 16 + 20 * i + 6 * (i % 3) + 6);
    }
    writeFileSync(join(directory, `${part}-images-idx3-ubyte`), images);
    writeFileSync(join(directory, `${part}-labels-idx1-ubyte`), labels);
  }
}
