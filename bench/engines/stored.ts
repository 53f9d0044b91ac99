/** Our own kernels with stored weights: the same tiles as the random ones, with a load instead of each hash. */

import { readFloats, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { Recording } from '../../src/gpu/kernel.ts';
import type { ElementwiseName } from '../../src/weights/distributions.ts';
import { finished, ourContext } from '../gpu.ts';
import { type Format, formats, packWeights, storedMatmul } from '../stored/stored_matmul.ts';
import { storedMatmulRows } from '../stored/stored_matmul_rows.ts';
import type { ForwardData, ForwardTask } from '../tasks/forward.ts';
import type { Engine } from './engine.ts';

export const STORED = 'stored';

/** With fewer rows an invocation computes one unit of one row. */
const TILE_FROM_ROWS = 4;

export const stored: Engine = {
  name: STORED,
  peer: false,
  gpu: true,
  variants(task) {
    if (task.kind !== 'forward' || task.kernels) return [];
    return Object.entries(formats).map(([weights, bits]) => ({
      weights,
      distribution: weights === '1-bit' ? 'binary' : 'normal',
      weightBytes: 4 * Math.ceil((task.k * bits) / 32) * task.n + 4 * task.n,
    }));
  },
  async prepare(task, { weights, distribution }, data) {
    const context = await ourContext();
    const { m, k, n } = task as ForwardTask;
    const { x, u, b, integers } = data as ForwardData;
    const format = weights as Format;
    const { integers: w, scale } = integers(distribution as ElementwiseName);
    const buffers = {
      x: uploadBuffer(context, x, 'x'),
      words: uploadBuffer(context, packWeights(format, w, k, n), `${format} weights`),
      u: uploadBuffer(
        context,
        u.map((value) => scale * value),
        'u',
      ),
      b: uploadBuffer(context, b, 'b'),
      y: storageBuffer(context, 4 * m * n, 'y'),
    };
    const kernel = m < TILE_FROM_ROWS ? storedMatmulRows : storedMatmul;
    const recording = await Recording.create(context, [kernel({ m, k, n, format, activation: 'relu', ...buffers })]);
    return {
      run: () => recording.submit(),
      sync: () => finished(context),
      async output() {
        recording.submit();
        return readFloats(context, buffers.y, m * n);
      },
      dispose() {
        recording.dispose();
        context.destroyBuffers(Object.values(buffers));
      },
    };
  },
};
