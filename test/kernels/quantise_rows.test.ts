import fc from 'fast-check';
import { expect, it } from 'vitest';
import { quantiseRows } from '../../kernels/quantise_rows.ts';
import { quantiseRows as twin } from '../../src/reference/quantise_rows.ts';
import { type Case, checkCases, numbers, samples, size } from './harness.ts';

const shapes = [
  ...samples(fc.record({ m: size(9), k: size(300) }), 200),
  { m: 65_537, k: 3 }, // more rows than a dimension of the grid
];

it('quantise_rows is its twin over 201 shapes, rows of zeros and tiny ones among them', async () => {
  const cases = shapes.map(({ m, k }, i): Case => {
    // Inputs lie away from the ties, where a device's division decides: whole steps and up to 0.45 of one. The first is the largest.
    const steps = numbers(m * k, i, 126);
    const parts = numbers(m * k, i + 1000, 0.45);
    const sizes = numbers(m, i + 2000, 3).map((value, row) => (row % 4 === 1 ? 0 : row % 4 === 3 ? 1e-30 : value));
    const x = steps.map((step, j) => (sizes[Math.floor(j / k)]! * (j % k ? Math.round(step) + parts[j]! : 127)) / 127);
    const { q, scales } = twin({ m, k, x });
    const stride = 4 * Math.ceil(k / 4);
    const bytes = new Int8Array(m * stride);
    q.forEach((value, j) => {
      bytes[Math.floor(j / k) * stride + (j % k)] = value;
    });
    return {
      what: `${m}x${k}`,
      inputs: { x },
      outputs: {
        q: { want: new Uint32Array(bytes.buffer), type: 'u32' },
        scales: { want: scales, tolerance: { absolute: 0, relative: 2 ** -21, reason: 'a division of WGSL: 2.5 ulp' } },
      },
      dispatch: ({ x, q, scales }) => quantiseRows({ m, k, x: x!, q: q!, scales: scales! }),
    };
  });
  expect(await checkCases(cases)).toBe(201);
});

it('rounds ties to even', () => {
  expect([...twin({ m: 1, k: 6, x: [127, 0.5, 1.5, -0.5, -1.5, 2.5] }).q]).toEqual([127, 0, 2, 0, -2, 2]);
});
