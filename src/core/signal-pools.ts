/** How the result of a convolution along a signal becomes one number. */
import { ShapeError } from './errors.ts';

/**
 * With z the result at each position and b the bias of the unit, a position is positive where z > -b.
 * `ppv`: the proportion of positive positions. `max`: the maximum of z + b. `mean`: the mean of z + b over the positive
 * positions, 0 where there is none. `stretch`: the longest run of positive positions, as a proportion of all.
 * ROCKET defines the first two (Dempster, Petitjean, Webb, 2020), MultiRocket the others (Tan et al., 2022).
 */
export const signalPools = ['ppv', 'max', 'mean', 'stretch'] as const;

export type SignalPool = (typeof signalPools)[number];

/** Throws `ShapeError` unless each pool is asked for once, in this order. */
export function expectPools(pools: readonly SignalPool[]): void {
  const ordered = signalPools.filter((pool) => pools.includes(pool));
  if (pools.length && ordered.join() === pools.join()) return;
  throw new ShapeError(`expected some of the pools ${signalPools.join(', ')} in this order, got ${pools.join(', ')}`);
}
