/** docs/trust.md lists every limit with its value. */
import { expect, it } from 'vitest';
import { limits } from '../src/data/limits.ts';
import { fileLimits, predictionLimits } from '../src/model/limits.ts';
import { textOf } from './documents.ts';
import { limitText } from './limit-text.ts';

const page = textOf('docs/trust.md');

/** The limits in the table below this heading, in order. */
function listed(heading: string): string[][] {
  const table = page.slice(page.indexOf(`| ${heading} |`)).split('\n\n', 1)[0]!;
  return [...table.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name, value]) => [name!, value!]);
}

it.each([
  ['limit of a model file', fileLimits],
  ['limit of a data file', limits],
])('every %s stands there with its value', (heading, values) => {
  expect(listed(heading)).toEqual(Object.entries(values).map(([name, value]) => [name, limitText(name, value)]));
});

it('so do those of a prediction', () => {
  for (const [name, value] of Object.entries(predictionLimits)) {
    expect(page.replaceAll('\n', ' ')).toMatch(new RegExp(`\`${name}\` \\(${limitText(name, value)}\\b`));
  }
});
