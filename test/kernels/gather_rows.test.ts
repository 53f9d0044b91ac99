/** gather_rows, gather_rows_u8: a batch out of a data set that comes in pieces. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gatherRows } from '../../kernels/gather_rows.ts';
import { gatherRowsU8 } from '../../kernels/gather_rows_u8.ts';
import { readFloats, storageBuffer, uploadBuffer } from '../../src/gpu/buffers.ts';
import { type BufferSlice, runDispatches } from '../../src/gpu/kernel.ts';
import { scheduleBuffer } from '../../src/gpu/rows.ts';
import { gatherRows as gatherRowsTwin } from '../../src/reference/gather_rows.ts';
import { gatherRowsU8 as gatherRowsU8Twin } from '../../src/reference/gather_rows_u8.ts';
import { testContext } from '../gpu.ts';
import { type Case, checkCases, numbers, samples, size } from './harness.ts';

const sampled = samples(
  fc.record({
    total: fc.integer({ min: 1, max: 60 }),
    piece: fc.constantFrom(4, 8, 20, 64),
    batch: size(70),
    columns: size(70),
    start: fc.integer({ min: 0, max: 9 }),
  }),
  200,
);
// The last has more rows than a dimension of the grid.
const problems = [...sampled, { total: 3, piece: 4, batch: 65_537, columns: 1, start: 2 }];

it.each(['words', 'bytes'])('over 201 shapes, pieces and starts: %s', async (kind) => {
  const cases = problems.map(({ total, piece, batch, columns, start }, i): Case => {
    const indices = Uint32Array.from(
      numbers(start + batch, i),
      (value) => Math.floor(((value + 1) / 2) * total) % total,
    );
    const floats = numbers(total * columns, i + 1000);
    const bytes = Uint8Array.from(floats, (value) => Math.floor(127.99 * (value + 1)));
    const [source, scale, shift] = kind === 'bytes' ? [bytes, 1 / 255, -0.5] : [floats, 1, 0];
    const starts = Array.from({ length: Math.ceil(total / piece) }, (_, p) => p * piece);
    if (i % 2) starts.reverse(); // in rising order the next piece would hide a row taken from behind the end of one
    const pieces = starts.map((first) => source.slice(first * columns, (first + piece) * columns));
    const args = { rows: batch, columns, start, indices };
    return {
      what: `${total} rows in pieces of ${piece}, batch ${batch} x ${columns} from ${start}`,
      inputs: {
        schedule: Uint32Array.of(0, 0, 0, start),
        indices,
        ...Object.fromEntries(pieces.map((data, p) => [`piece${p}`, data])),
      },
      outputs: {
        out:
          kind === 'bytes'
            ? {
                want: gatherRowsU8Twin({ ...args, source, scale, shift }),
                tolerance: { absolute: 1.2e-7, reason: 'one f32 multiply and add' },
              }
            : { want: gatherRowsTwin({ ...args, source }) },
      },
      dispatch: (buffers) =>
        starts.map((first, p) => {
          const { schedule, indices, out } = buffers as Record<'schedule' | 'indices' | 'out', BufferSlice>;
          const available = pieces[p]!.length / columns;
          const args = { rows: batch, columns, first, available, schedule, indices, piece: buffers[`piece${p}`]!, out };
          return kind === 'bytes' ? gatherRowsU8({ ...args, scale, shift }) : gatherRows(args);
        }),
    };
  });
  expect(await checkCases(cases)).toBe(201);
});

it('leaves rows of other pieces alone', async () => {
  const context = await testContext();
  const out = uploadBuffer(context, Float32Array.of(1, 2, 3));
  const schedule = scheduleBuffer(context);
  const indices = uploadBuffer(context, Uint32Array.of(0, 5, 9));
  const piece = storageBuffer(context, 16, 'piece');
  await runDispatches(context, [
    gatherRows<BufferSlice>({ rows: 3, columns: 1, first: 4, available: 4, schedule, indices, piece, out }),
  ]);
  expect([...(await readFloats(context, out, 3))]).toEqual([1, 0, 3]);
});
