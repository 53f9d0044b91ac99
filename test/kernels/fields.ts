/** Generated image sizes for the tests of receptive fields. */
import fc from 'fast-check';
import type { Image } from '../../src/weights/fields.ts';

/** Lines, columns, more channels than a word has signs, sides that are not a multiple of four. */
export const images: fc.Arbitrary<Image> = fc.oneof(
  fc.record({ height: fc.constant(1), width: fc.integer({ min: 1, max: 60 }), channels: fc.constantFrom(1, 2, 5) }),
  fc.record({
    height: fc.integer({ min: 1, max: 13 }),
    width: fc.integer({ min: 1, max: 15 }),
    channels: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({
    height: fc.integer({ min: 1, max: 4 }),
    width: fc.integer({ min: 1, max: 5 }),
    channels: fc.constantFrom(31, 33, 70),
  }),
);
