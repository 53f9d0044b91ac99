/** Pictures of any size as inputs: the same pixels from a file, from a canvas, by the formula. */
import { describe, expect, it } from 'vitest';
import { pictureBytes, pictureFloats } from '../src/data/picture-input.ts';
import { type Rgba, rgbaPixels } from '../src/data/pixels.ts';
import { readPng } from '../src/data/png-pixels.ts';
import { Resampler } from '../src/data/resample.ts';
import { makePng } from './make-png.ts';

function resampled(values: readonly (readonly number[])[], width: number, height: number): number[] {
  const resampler = new Resampler({ width: values[0]!.length, height: values.length }, { width, height });
  for (const [y, row] of values.entries()) resampler.addRow(y, Float32Array.from(row));
  return [...resampler.result()];
}

/** Weights of source pixels for a target pixel: areas where an axis shrinks, a hat of width 1 where it grows. */
function weights(from: number, to: number, target: number): number[] {
  const scale = from / to;
  if (to > from) {
    const centre = Math.min(Math.max((target + 0.5) * scale - 0.5, 0), from - 1);
    return Array.from({ length: from }, (_, i) => Math.max(0, 1 - Math.abs(i - centre)));
  }
  const [start, end] = [target * scale, (target + 1) * scale];
  return Array.from({ length: from }, (_, i) => Math.max(0, Math.min(end, i + 1) - Math.max(start, i)) / scale);
}

describe('Resampler', () => {
  it('keeps a picture of the same size, averages areas, interpolates between centres', () => {
    expect(resampled([[1, 2, 3]], 3, 1)).toEqual([1, 2, 3]);
    expect(resampled([[0, 0, 1, 1]], 2, 1)).toEqual([0, 1]);
    expect(resampled([[0, 3, 6]], 2, 1)).toEqual([1, 5]);
    expect(resampled([[0, 1]], 4, 1)).toEqual([0, 0.25, 0.75, 1]);
    expect(resampled([[0], [1]], 1, 4)).toEqual([0, 0.25, 0.75, 1]);
    expect(resampled([[5]], 3, 2)).toEqual(Array(6).fill(5));
  });

  it('is the formula, for sizes that grow, shrink or do both', () => {
    for (const [from, to] of [
      [
        [7, 5],
        [3, 2],
      ],
      [
        [3, 4],
        [11, 9],
      ],
      [
        [13, 2],
        [5, 7],
      ],
      [
        [2, 17],
        [6, 16],
      ],
      [
        [31, 1],
        [30, 3],
      ],
    ] as [[number, number], [number, number]][]) {
      const values = Array.from({ length: from[1] }, (_, y) =>
        Array.from({ length: from[0] }, (_, x) => ((x * 37 + y * 91) % 23) / 8),
      );
      const got = resampled(values, ...to);
      for (const [i, value] of got.entries()) {
        const across = weights(from[0], to[0], i % to[0]);
        const down = weights(from[1], to[1], Math.floor(i / to[0]));
        let wanted = 0;
        for (const [y, tall] of down.entries())
          for (const [x, wide] of across.entries()) wanted += tall * wide * values[y]![x]!;
        expect(value).toBeCloseTo(wanted, 6);
      }
    }
  });
});

describe('pictures as inputs', () => {
  const inputs = { width: 4, height: 4, channels: 1, fit: 'stretch', invert: false } as const;
  const rgba = (width: number, height: number, colour: (x: number, y: number) => number[]): Rgba => ({
    ...{ width, height },
    data: Uint8ClampedArray.from(
      Array.from({ length: width * height }, (_, i) => colour(i % width, Math.floor(i / width))).flat(),
    ),
  });
  const grey = (value: number) => [value, value, value, 255];

  it('fits a wide and a tall picture between black bars', () => {
    const box = { ...inputs, fit: 'letterbox' } as const;
    const wide = pictureBytes(rgbaPixels(rgba(8, 4, () => grey(90))), box);
    expect([...wide]).toEqual([0, 0, 0, 0, 90, 90, 90, 90, 90, 90, 90, 90, 0, 0, 0, 0]);
    const tall = pictureBytes(rgbaPixels(rgba(1, 2, (_, y) => grey(y ? 200 : 40))), box);
    expect([...tall].slice(0, 4)).toEqual([0, 40, 40, 0]);
    expect([...tall].slice(12)).toEqual([0, 200, 200, 0]);
    const thin = pictureBytes(rgbaPixels(rgba(1000, 1, () => grey(9))), box);
    expect([...thin]).toEqual([0, 0, 0, 0, 9, 9, 9, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('leaves bars black where it inverts', () => {
    const picture = rgbaPixels(rgba(8, 4, () => grey(255)));
    const inverted = pictureFloats(picture, { ...inputs, fit: 'letterbox', invert: 'auto' });
    expect(Math.max(...inverted)).toBe(0);
    expect([...pictureFloats(picture, { ...inputs, invert: false })]).toEqual(Array(16).fill(1));
  });

  it('makes the same bytes of a PNG file and of the pixels of a canvas', () => {
    const sample = (x: number, y: number, channel: number) => (x * 7919 + y * 104729 + channel * 31) % 256;
    for (const [width, height] of [
      [4, 4],
      [9, 7],
      [2, 3],
    ] as const) {
      const file = makePng({ width, height, type: 2, depth: 8, sample });
      const canvas = rgba(width, height, (x, y) => [0, 1, 2].map((channel) => sample(x, y, channel)).concat(255));
      for (const channels of [1, 3] as const) {
        for (const fit of ['stretch', 'letterbox'] as const) {
          const to = { ...inputs, channels, fit };
          expect(pictureBytes(rgbaPixels(canvas), to)).toEqual(pictureBytes(readPng(file), to));
        }
      }
    }
  });
});
