/** The stream of random kernels along signals: golden vectors. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import golden from '../src/weights/golden/kernels-v1.txt';
import { goldenKernels } from './golden-kernels.ts';

it('has the golden vectors that this library makes, byte for byte, and they are final', () => {
  expect(goldenKernels()).toBe(golden);
  const released = /^($|place |kernel (normal|binary|uniform|sparse) )/; // the file ends in an empty line
  const vectors = golden.split('\n').filter((line) => released.test(line));
  expect(createHash('sha256').update(vectors.join('\n')).digest('hex')).toBe(
    'cdb3f99163ae06b0e2da87a921b4a2ea4ba3dd7e11927f0895c72f31bfb03b58',
  );
});
