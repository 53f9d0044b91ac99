/** gather_rows, gather_rows_u8: a batch out of a data set that comes in pieces. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gatherRows } from '../../kernels/gather_rows.ts';
import { gatherRowsU8 } from '../../kernels/gather_rows_u8.ts';
import { type BufferSlice, runDispatches } from '../../src/kernel.ts';
import { gatherRows as gatherRowsTwin } from '../../src/reference/gather_rows.ts';
import { gatherRowsU8 as gatherRowsU8Twin } from '../../src/reference/gather_rows_u8.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../../src/tensor.ts';
import { expectClose, expectSame } from '../compare.ts';
import { testContext } from '../gpu.ts';
import { numbers, samples, size } from './harness.ts';

const problems = samples(
  fc.record({
    total: fc.integer({ min: 1, max: 60 }),
    piece: fc.constantFrom(4, 8, 20, 64),
    batch: size(70),
    columns: size(70),
    start: fc.integer({ min: 0, max: 9 }),
  }),
  200,
);

it.each(['words', 'bytes'])('over 200 shapes, pieces and starts: %s', async (kind) => {
  const context = await testContext();
  for (const [i, { total, piece, batch, columns, start }] of problems.entries()) {
    const indices = Uint32Array.from(
      numbers(start + batch, i),
      (value) => Math.floor(((value + 1) / 2) * total) % total,
    );
    const floats = numbers(total * columns, i + 1000);
    const bytes = Uint8Array.from(floats, (value) => Math.floor(127.99 * (value + 1)));
    const out = uploadBuffer(context, new Float32Array(batch * columns).fill(Number.NaN), 'out');
    const schedule = context.createBuffer(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'schedule');
    context.device.queue.writeBuffer(schedule, 12, Uint32Array.of(start));
    const order = uploadBuffer(context, indices);
    const own = [out, schedule, order];
    const dispatches = [];
    for (let first = 0; first < total; first += piece) {
      const available = Math.min(piece, total - first);
      const part = [first * columns, (first + available) * columns] as const;
      const buffer = uploadBuffer(context, kind === 'bytes' ? bytes.subarray(...part) : floats.slice(...part));
      own.push(buffer);
      const args = { rows: batch, columns, first, available, schedule, indices: order, piece: buffer, out };
      dispatches.push(
        kind === 'bytes'
          ? gatherRowsU8<BufferSlice>({ ...args, scale: 1 / 255, shift: -0.5 })
          : gatherRows<BufferSlice>(args),
      );
    }
    await runDispatches(context, dispatches);
    const got = await readFloats(context, out, batch * columns);
    const what = `${total} rows in pieces of ${piece}, batch ${batch} x ${columns} from ${start}`;
    const args = { rows: batch, columns, start, indices };
    if (kind === 'words') expectSame(got, gatherRowsTwin({ ...args, source: floats }), what);
    else {
      const want = gatherRowsU8Twin({ ...args, source: bytes, scale: 1 / 255, shift: -0.5 });
      expectClose(got, want, { absolute: 1.2e-7, reason: 'one f32 multiply and add' }, what);
    }
    context.destroyBuffers(own);
  }
});

it('leaves rows of other pieces alone', async () => {
  const context = await testContext();
  const out = uploadBuffer(context, Float32Array.of(1, 2, 3));
  const schedule = context.createBuffer(16, GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST, 'schedule');
  const indices = uploadBuffer(context, Uint32Array.of(0, 5, 9));
  const piece = storageBuffer(context, 16, 'piece');
  await runDispatches(context, [
    gatherRows<BufferSlice>({ rows: 3, columns: 1, first: 4, available: 4, schedule, indices, piece, out }),
  ]);
  expect([...(await readFloats(context, out, 3))]).toEqual([1, 0, 3]);
});
