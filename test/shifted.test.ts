import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../src/core/errors.ts';
import { dataSet } from '../src/data/dataset.ts';
import { shifted } from '../src/data/shifted.ts';

describe('shifted', () => {
  it('are the images, then each moved up, down, left and right, zeros coming in', () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 4 }),
      height: fc.integer({ min: 2, max: 6 }),
      width: fc.integer({ min: 2, max: 6 }),
      channels: fc.constantFrom(undefined, 1, 3),
      floats: fc.boolean(),
      targets: fc.boolean(),
    });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5 }), (given, wanted) => {
        const { rows, height, width, channels, floats, targets } = given;
        const pixels = Math.min(wanted, height - 1, width - 1);
        const depth = channels ?? 1;
        const numbers = Array.from({ length: rows * height * width * depth }, (_, i) => 1 + ((i * 37) % 255));
        const data = dataSet({
          features: floats ? Float32Array.from(numbers) : Uint8Array.from(numbers),
          shape: channels ? [height, width, channels] : [height, width],
          ...(targets
            ? { targets: Float32Array.from({ length: 2 * rows }, (_, i) => i) }
            : { labels: Array.from({ length: rows }, (_, row) => row) }),
        });
        const more = shifted(data, pixels);
        expect(more.features.constructor).toBe(data.features.constructor);
        expect({ rows: more.rows, shape: more.shape, classes: more.classes }).toEqual({
          rows: 5 * rows,
          shape: data.shape,
          classes: data.classes,
        });
        const moves = [
          [0, 0],
          [-pixels, 0],
          [pixels, 0],
          [0, -pixels],
          [0, pixels],
        ] as const;
        const want = moves.flatMap(([down, across]) =>
          numbers.map((_, at) => {
            const [row, y, x, c] = [
              Math.floor(at / (height * width * depth)),
              Math.floor(at / (width * depth)) % height,
              Math.floor(at / depth) % width,
              at % depth,
            ];
            const [fromY, fromX] = [y - down, x - across];
            const inside = fromY >= 0 && fromY < height && fromX >= 0 && fromX < width;
            return inside ? numbers[((row * height + fromY) * width + fromX) * depth + c]! : 0;
          }),
        );
        expect([...more.features]).toEqual(want);
        expect([...more.labels]).toEqual(moves.flatMap(() => [...data.labels]));
        if (targets) expect([...more.targets!]).toEqual(moves.flatMap(() => [...data.targets!]));
      }),
    );
  });

  it('refuses what is no image, and shifts that leave nothing of it', () => {
    const images = dataSet({ features: new Uint8Array(40), shape: [4, 5], labels: [0, 1] });
    const rows = dataSet({ features: new Uint8Array(40), shape: [20], labels: [0, 1] });
    expect(() => shifted(rows, 1)).toThrow(DataError);
    expect(() => shifted(rows, 1)).toThrow(/expected images \(height, width\).*got 20/);
    for (const pixels of [0, 4, 1.5, -1]) expect(() => shifted(images, pixels)).toThrow(/expected 1 to 3 pixels/);
  });
});
