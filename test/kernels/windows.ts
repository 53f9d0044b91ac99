/** Generated windows over images for the tests of convolutions. */
import fc from 'fast-check';
import { type Pair, type Window, windowCounts } from '../../src/core/window.ts';

const pair = (most: number, least = 1): fc.Arbitrary<Pair> =>
  fc.oneof(
    fc.integer({ min: least, max: most }).map((both): Pair => [both, both]),
    fc.tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most })),
  );

/** Valid windows of every kind: signals, gaps between windows, pixels and borders that no window sees. */
export const windows: fc.Arbitrary<Window> = fc
  .record({
    height: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 13 })),
    width: fc.integer({ min: 1, max: 17 }),
    channels: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 12, 16),
    kernel: pair(5),
    stride: pair(3),
    padding: pair(3, 0),
    dilation: fc.oneof(fc.constant<Pair>([1, 1]), pair(3)),
  })
  .filter((window) => {
    try {
      return windowCounts(window).length === 2;
    } catch {
      return false;
    }
  });

/** A convolution described in words. */
export const what = ({ rows, window: w, filters }: { rows: number; window: Window; filters: number }) =>
  `${rows} x ${w.height}x${w.width}x${w.channels} to ${filters}, kernel ${w.kernel}, stride ${w.stride}, padding ${w.padding}, dilation ${w.dilation}`;
