/** Receptive fields on the CPU, held to the twins of the GPU's kernels. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ones } from '../../src/conformance/fields.ts';
import { readGoldenFields } from '../../src/conformance/golden-fields.ts';
import { imageSize } from '../../src/core/window.ts';
import { type FieldProduct, randomFields, randomFieldsTransposed } from '../../src/cpu/random_fields.ts';
import { randomFields as twin } from '../../src/reference/random_fields.ts';
import { randomFieldsTransposed as transposedTwin } from '../../src/reference/random_fields_transposed.ts';
import { fieldNames } from '../../src/weights/fields.ts';
import golden from '../../src/weights/golden/fields-v1.txt';
import { expectClose, expectSame } from '../compare.ts';
import { images } from '../kernels/fields.ts';
import { numbers, samples, size, sumError } from '../kernels/harness.ts';
import { onRuined, outputOf, wholeMachine } from './machine.ts';

const machine = await wholeMachine();

const problems = samples(
  fc.record({
    m: size(20),
    n: size(140),
    image: images,
    distribution: fc.constantFrom(...fieldNames),
    seed: fc.constantFrom(0, 1, 2 ** 32 - 1, Number.MAX_SAFE_INTEGER),
    tensor: fc.integer({ min: 0, max: 5 }),
  }),
  240,
  3,
).map(({ m, n, image, ...weights }): FieldProduct => ({ m, n, weights: { ...weights, image } }));

const what = ({ m, n, weights: { distribution, image } }: FieldProduct) =>
  `${m} x ${image.height}x${image.width}x${image.channels} to ${n}, ${distribution}`;

/** Runs a call twice on memory full of NaN, the second time on the given numbers; what lies behind the output must stay. */
const run = (make: () => (from: number, to: number) => void, input: Float32Array, outputs: number): Float32Array =>
  onRuined(machine, () => {
    const call = make();
    const { at, read } = outputOf(machine, outputs);
    call(machine.place(input.map(() => 7)), at);
    call(machine.place(input), at);
    return read();
  });

const product = (p: FieldProduct, x: Float32Array) => run(() => randomFields(machine, p), x, p.m * p.n);

describe('240 shapes', () => {
  it('random_fields is its twin', () => {
    for (const [i, p] of problems.entries()) {
      const k = imageSize(p.weights.image);
      const x = numbers(p.m * k, i);
      // The weights of a unit have the length 1 (of patches, about), inputs are at most 1.
      const tolerance = { absolute: sumError(k) * 3 * Math.sqrt(k) + 1e-7, reason: 'f32 sum over the window' };
      expectClose(product(p, x), twin({ ...p, x }), tolerance, what(p));
    }
  });

  it('random_fields_transposed is its twin', () => {
    for (const [i, p] of problems.entries()) {
      const k = imageSize(p.weights.image);
      const dz = numbers(p.m * p.n, i);
      const got = run(() => randomFieldsTransposed(machine, p), dz, p.m * k);
      const tolerance = { absolute: 2 * sumError(p.n) * p.n + 1e-7, reason: 'f32 sum over weights of about 2 at most' };
      expectClose(got, transposedTwin({ ...p, dz }), tolerance, what(p));
    }
  });
});

it('has the golden vectors, bit for bit, forward and transposed', () => {
  let checked = 0;
  for (const vector of readGoldenFields(golden)) {
    if (vector.kind !== 'field') continue;
    const { spec, unit, bits, weights } = vector;
    const k = imageSize(spec.image);
    const scale = new Float32Array(Uint32Array.of(bits).buffer)[0]!;
    const want = Float32Array.from(weights, (w) => scale * w + 0);
    const one = { n: 1, weights: spec, from: unit };
    const name = `${what({ m: 1, ...one })} ${spec.seed} ${spec.tensor} ${unit}`;
    expectSame(product({ m: k, ...one }, ones(k)), want, name);
    const dz = Float32Array.of(1);
    expectSame(
      run(() => randomFieldsTransposed(machine, { m: 1, ...one }), dz, k).map((value) => value + 0),
      want,
      name,
    );
    checked++;
  }
  expect(checked).toBe(105);
});

it('has lines longer than the panel of weights, and many of them', () => {
  for (const distribution of fieldNames) {
    for (const image of [
      { height: 3, width: 2100, channels: 3 },
      { height: 1, width: 9000, channels: 1 },
      { height: 190, width: 30, channels: 1 },
    ]) {
      const weights = { seed: 8, tensor: 0, distribution, image };
      const k = imageSize(image);
      const p = { m: 5, n: 6, weights };
      const x = numbers(5 * k, 4);
      const tolerance = { absolute: sumError(k) * 3 * Math.sqrt(k), reason: 'f32 sum over the window' };
      expectClose(product(p, x), twin({ ...p, x }), tolerance, what(p));
      const dz = numbers(30, 4);
      const back = run(() => randomFieldsTransposed(machine, p), dz, 5 * k);
      expectClose(back, transposedTwin({ ...p, dz }), { absolute: 1e-6, reason: 'f32 sum of 6' }, what(p));
    }
  }
});

it.each(fieldNames)(
  '%s: a slice of the units is that slice of the whole, a row the same in any batch',
  (distribution) => {
    const weights = { seed: 5, tensor: 1, distribution, image: { height: 9, width: 11, channels: 3 } };
    const [m, n, k] = [19, 90, 297];
    const x = numbers(m * k, 9);
    const whole = product({ m, n, weights }, x);
    const [from, count] = [31, 40];
    const part = product({ m, n: count, weights, from }, x);
    for (let row = 0; row < m; row++) {
      const cut = whole.subarray(row * n + from, row * n + from + count);
      expectSame(part.subarray(row * count, (row + 1) * count), cut, `units ${from}+${count}`);
      expectSame(
        product({ m: 1, n, weights }, x.subarray(row * k, (row + 1) * k)),
        whole.subarray(row * n, (row + 1) * n),
        `row ${row}`,
      );
    }
  },
);
