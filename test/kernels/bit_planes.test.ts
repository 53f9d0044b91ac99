import fc from 'fast-check';
import { expect, it } from 'vitest';
import { bitPlanes } from '../../kernels/bit_planes.ts';
import { bitPlanes as twin } from '../../src/reference/bit_planes.ts';
import { type Case, checkCases, numbers, samples, size } from './harness.ts';

const shapes = [
  ...samples(fc.record({ m: size(9), k: size(3000), signed: fc.boolean() }), 200),
  { m: 65_537, k: 3, signed: true }, // more rows than a dimension of the grid
];

it('bit_planes is its twin over 201 shapes, signed and not', async () => {
  const cases = shapes.map(({ m, k, signed }, i): Case => {
    const values = numbers(m * k, i, 128).map(Math.floor);
    const x = signed ? Int8Array.from(values) : Uint8Array.from(values, (value) => value + 128);
    const stride = 4 * Math.ceil(k / 4);
    const bytes = new Uint8Array(m * stride);
    x.forEach((value, j) => {
      bytes[Math.floor(j / k) * stride + (j % k)] = value;
    });
    const { planes, totals } = twin({ m, k, x });
    return {
      what: `${m}x${k} ${signed ? 'signed' : 'unsigned'}`,
      inputs: { x: new Uint32Array(bytes.buffer) },
      outputs: { planes: { want: planes, type: 'u32' }, totals: { want: totals, type: 'i32' } },
      dispatch: ({ x, planes, totals }) => bitPlanes({ m, k, x: x!, signed, planes: planes!, totals: totals! }),
    };
  });
  expect(await checkCases(cases)).toBe(201);
});
