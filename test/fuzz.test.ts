/** A share of `npm run fuzz`: 10,000 cases, the same ones each time, within its limits of time and memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Choices } from './fuzz/choices.ts';
import { numbers } from './fuzz/main.ts';
import { measured } from './fuzz/measure.ts';
import { outcome, targets } from './fuzz/targets.ts';

const names = Object.keys(targets);

describe('damaged input ends in a named error', () => {
  it.each(names)('%s', (name) => {
    const found = new Set<string>();
    const property = fc.property(numbers, (list) => {
      found.add(measured(() => outcome(targets[name]!, new Choices(list))).result);
    });
    fc.assert(property, { numRuns: Math.ceil(10_000 / names.length), seed: 1 });
    // A target whose cases are all refused at once tests little.
    expect(found).toContain('accepted');
    expect(found.size).toBeGreaterThan(1);
  });
});
