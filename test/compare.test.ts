/** The comparer itself: what must never pass. */
import { expect, it } from 'vitest';
import { expectClose, expectSame } from './compare.ts';

const reason = 'test';

it.each([
  ['a difference', [1, 2.1], [1, 2], 0.05],
  ['NaN computed', [Number.NaN], [1], 1],
  ['NaN wanted', [1], [Number.NaN], 1],
  ['infinity computed', [Infinity], [1], 1],
  ['infinity wanted, with a relative tolerance', [-Infinity], [Infinity], 1],
  ['a tolerance that is NaN', [5], [1], Number.NaN],
  ['a tolerance that is infinite', [5], [1], Infinity],
  ['too few tolerances', [1, 5], [1, 1], [0.1]],
  ['too few results', [1], [1, 1], 1],
])('expectClose refuses %s', (_, got, want, absolute) => {
  expect(() => expectClose(got, want, { absolute, relative: 0.01, reason })).toThrow();
});

it('expectClose passes what lies within, the bound included', () => {
  expectClose([1.5, -3], [1, -3], { absolute: 0.5, reason });
  expectClose([102, 0], [100, 0], { absolute: 0, relative: 0.02, reason });
  expectClose([1, 9], [1, 2], { absolute: [0, 7], reason });
});

it('expectClose names the worst element', () => {
  expect(() => expectClose([2, 5, 3], [1, 1, 1], { absolute: 0.5, reason }, 'y')).toThrow(
    'y: at 1 got 5, want 1: off by 4, 8 x the 0.5 allowed (test)',
  );
});

it('expectSame tells 0 from -0 and passes equal NaN only', () => {
  expect(() => expectSame([0], [-0])).toThrow('at 0');
  expect(() => expectSame([Number.NaN], [0])).toThrow('at 0');
  expectSame([1, Number.NaN], [1, Number.NaN]);
});
