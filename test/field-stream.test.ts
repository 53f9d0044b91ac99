/** The stream of receptive fields: golden vectors, tables, slices, statistics. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { imageSize } from '../src/core/window.ts';
import { type FieldName, fieldNames, fieldOf, fieldWeights, fieldWords, type Image } from '../src/weights/fields.ts';
import { hatTables } from '../src/weights/hat-tables.ts';
import { expectSame } from './compare.ts';
import { goldenFields } from './golden-fields.ts';
import { numbers } from './kernels/harness.ts';

const specification = readFileSync(new URL('../src/weights/SPEC.md', import.meta.url), 'utf8');
const photo: Image = { height: 28, width: 28, channels: 1 };
const spec = (distribution: FieldName, image = photo, seed = 7) => ({ seed, tensor: 0, distribution, image });

describe('the specification', () => {
  it('has the golden vectors that this library makes, byte for byte, and they are final', () => {
    const file = readFileSync(new URL('../src/weights/golden/fields-v1.txt', import.meta.url), 'utf8');
    expect(goldenFields()).toBe(file);
    const vectors = file.split('\n').filter((line) => !line.startsWith('#'));
    expect(createHash('sha256').update(vectors.join('\n')).digest('hex')).toBe(
      '024dcec61d864ec7983c2bf08740dd465dde9d7b45a76f45008fff385814924f',
    );
  });

  it.each(['image', 'line'] as const)('prints the table of hats over an %s, and where it comes from', (name) => {
    const [, text] = specification.match(new RegExp(`^${name}:\n\n\`\`\`\n([^\`]*)\`\`\``, 'm'))!;
    expect(hatTables[name]).toEqual(text!.trim().split(/\s+/).map(Number));
    expect(hatTables[name]).toHaveLength(256);
    const [height, slope] = name === 'image' ? [131, 1] : [133, 2];
    for (const [i, entry] of hatTables[name].entries()) {
      const s = (i + 0.5) / 32;
      expect(Math.abs(entry - height! * (1 - slope! * s) * Math.exp(-s))).toBeLessThanOrEqual(0.5 + 1e-9);
    }
  });
});

describe.each(fieldNames)('%s', (name) => {
  it('has units that do not depend on how many there are, nor on where a slice begins', () => {
    const [k, units] = [imageSize(photo), 40];
    const whole = fieldWeights(spec(name), [0, units]);
    const longer = fieldWeights(spec(name), [0, units + 30]);
    expectSame(longer.integers.subarray(0, units * k), whole.integers, 'appended units');
    const slice = fieldWeights(spec(name), [11, 25]);
    expectSame(slice.integers, whole.integers.subarray(11 * k, 25 * k), 'a slice');
    expectSame(slice.scales, whole.scales.subarray(11, 25), 'its scales');
    // What kernels are told of a slice: the same units, numbered from 0.
    const told = (words: Uint32Array, n: number) =>
      new Map(Array.from({ length: n }, (_, i) => [words[8 * i + 7]!, [...words.subarray(8 * i, 8 * i + 7)]]));
    const [all, some] = [told(fieldWords(spec(name), units), units), told(fieldWords(spec(name), 14, 11), 14)];
    for (let i = 0; i < 14; i++) expect(some.get(i)).toEqual(all.get(11 + i));
  });

  it('has other units for other seeds and tensors', () => {
    const of = (seed: number, tensor: number) =>
      fieldWeights({ ...spec(name), seed, tensor }, [0, 8]).integers.join(' ');
    expect(new Set([of(0, 0), of(1, 0), of(0, 1), of(2 ** 32, 0)]).size).toBe(4);
  });

  it.each<[string, Image]>([
    ['sides of 0', { ...photo, width: 0 }],
    ['sides too long', { ...photo, height: 65536 }],
    ['too many numbers', { height: 65535, width: 65535, channels: 2 }],
    ['half a channel', { ...photo, channels: 1.5 }],
  ])('refuses an image with %s', (_, image) => {
    expect(() => fieldWeights(spec(name, image), [0, 1])).toThrow(RangeError);
    expect(() => fieldWeights(spec(name, image), [0, 1])).toThrow(/expected an image of sides from 1 to 65535/);
  });
});

describe('statistics', () => {
  const units = 6000;
  const windows = (name: FieldName, image = photo) =>
    Array.from({ length: units }, (_, unit) => fieldOf(spec(name, image), unit));
  /** Chi-square of counts that should be equal, in standard deviations of it. */
  const unequal = (values: readonly number[], from: number, to: number) => {
    const counts = new Array<number>(to - from + 1).fill(0);
    for (const value of values) counts[value - from]!++;
    const each = values.length / counts.length;
    const chi = counts.reduce((sum, count) => sum + (count - each) ** 2 / each, 0);
    return (chi - counts.length + 1) / Math.sqrt(2 * (counts.length - 1));
  };
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

  it.each(['patch', 'binary-patch'] as const)(
    '%s: sizes and places are even, and touch the share they should',
    (name) => {
      const fields = windows(name);
      for (const sizes of [fields.map(({ height }) => height), fields.map(({ width }) => width)]) {
        expect(Math.abs(unequal(sizes, 7, 28))).toBeLessThan(4);
      }
      for (const size of [9, 17, 24]) {
        const tops = fields.filter(({ height }) => height === size).map(({ top }) => top);
        const lefts = fields.filter(({ width }) => width === size).map(({ left }) => left);
        expect(Math.abs(unequal(tops, 0, 28 - size))).toBeLessThan(4);
        expect(Math.abs(unequal(lefts, 0, 28 - size))).toBeLessThan(4);
      }
      // Sizes from 7 to 28 and evenly so: 17.5 of 28 in each direction, which do not know of each other.
      const share = fields.map(({ height, width }) => (height * width) / 28 ** 2);
      expect(mean(share)).toBeGreaterThan((17.5 / 28) ** 2 - 0.01);
      expect(mean(share)).toBeLessThan((17.5 / 28) ** 2 + 0.01);
      const { integers } = fieldWeights(spec('binary-patch'), [0, 300]);
      const touched = integers.filter((w) => w !== 0).length;
      expect(touched).toBe(fields.slice(0, 300).reduce((sum, { height, width }) => sum + height * width, 0));
    },
  );

  it('mexican-hat: centres are even, widths go from one pixel to an eighth of the side, half of the hats are upside down', () => {
    const fields = windows('mexican-hat');
    for (const axis of [0, 1] as const) {
      const places = fields.map(({ centre }) => centre[axis]);
      expect(Math.abs(unequal(places, 0, 27))).toBeLessThan(4);
    }
    const widths = fields.map(({ reciprocal }) => Math.sqrt(2 ** 39 / reciprocal) / 64);
    expect(Math.min(...widths)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...widths)).toBeLessThanOrEqual(28 / 8 + 0.001);
    expect(mean(widths)).toBeCloseTo((1 + 28 / 8) / 2, 1);
    const { integers } = fieldWeights(spec('mexican-hat'), [0, 1000]);
    const upright = fields.slice(0, 1000).filter(({ centre: [y, x] }, i) => integers[i * 784 + y * 28 + x]! > 0);
    expect(upright.length).toBeGreaterThan(440); // 500, with a standard deviation of 16
    expect(upright.length).toBeLessThan(560);
  });

  it('mexican-hat: a unit has the energy 1 wherever it stands, and away from the edges the sum 0', () => {
    for (const image of [photo, { height: 1, width: 300, channels: 1 }, { height: 20, width: 31, channels: 3 }]) {
      const k = imageSize(image);
      const { integers, scales } = fieldWeights(spec('mexican-hat', image), [0, 200]);
      let inner = 0;
      for (let i = 0; i < 200; i++) {
        const weights = Float64Array.from(integers.subarray(i * k, (i + 1) * k), (w) => w * scales[i]!);
        expect(weights.reduce((sum, w) => sum + w * w, 0)).toBeCloseTo(1, 6);
        const { top, left, height, width } = fieldOf(spec('mexican-hat', image), i);
        const cut = (from: number, size: number, side: number) => side > 1 && (from === 0 || from + size === side);
        if (cut(top, height, image.height) || cut(left, width, image.width)) continue;
        // The rounded table at a grid of distances: a tenth of the sum of the sizes is left at most.
        const sizes = weights.reduce((sum, w) => sum + Math.abs(w), 0);
        expect(Math.abs(weights.reduce((sum, w) => sum + w, 0))).toBeLessThan(0.1 * sizes);
        inner++;
      }
      expect(inner).toBeGreaterThan(5);
    }
  });

  it.each(fieldNames)('%s: products with independent inputs of mean square 1 have mean 0 and variance 1', (name) => {
    const [rows, many] = [40, 500];
    for (const image of [photo, { height: 1, width: 100, channels: 3 }]) {
      const k = imageSize(image);
      const x = numbers(rows * k, 5, Math.sqrt(3));
      const { integers, scales } = fieldWeights(spec(name, image), [0, many]);
      const z = Array.from({ length: rows * many }, (_, i) => {
        const [row, unit] = [i % rows, Math.floor(i / rows)];
        let sum = 0;
        for (let j = 0; j < k; j++) sum += integers[unit * k + j]! * x[row * k + j]!;
        return scales[unit]! * sum;
      });
      expect(Math.abs(mean(z))).toBeLessThan(0.04);
      expect(Math.abs(mean(z.map((value) => value * value)) - 1)).toBeLessThan(0.06);
    }
  });
});
