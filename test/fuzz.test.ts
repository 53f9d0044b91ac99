/** A share of `npm run fuzz`: 10,000 cases, the same ones each time, within its limits of time and memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Choices } from './fuzz/choices.ts';
import { numbers } from './fuzz/main.ts';
import { measured } from './fuzz/measure.ts';
import { outcome, shareOf, targets } from './fuzz/targets.ts';

const names = Object.keys(targets);

describe('damaged input ends in a named error', () => {
  it.each(names)('%s', async (name) => {
    const found = new Set<string>();
    const property = fc.asyncProperty(numbers, async (list) => {
      found.add((await measured(() => outcome(targets[name]!, new Choices(list)))).result);
    });
    await fc.assert(property, { numRuns: shareOf(name, 10_000, names), seed: 1 });
    // A target whose cases are all refused at once tests little.
    expect(found).toContain('accepted');
    expect(found.size).toBeGreaterThan(1);
  });
});
