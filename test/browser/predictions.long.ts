/** `npm run test:long`: ten thousand predictions in a page, and as many with a leak made on purpose. */
import { describe, it } from 'vitest';
import { expectFlat, expectLeak } from './flat-memory.ts';
import { browserNames } from './harness.ts';

/** Bytes a prediction of all processes together. */
const MEMORY = { Chromium: 400, Firefox: 2000 };

describe.each(browserNames)('%s', (name) => {
  it('10,000 predictions leave memory as it was', () => expectFlat(name, 10_000, MEMORY[name]));

  it('10,000 predictions that leak a buffer each do not', () => expectLeak(name, 10_000, 'buffer', MEMORY[name]));

  it('10,000 predictions that leak a bind group each do not', () =>
    expectLeak(name, 10_000, 'bind group', name === 'Chromium' ? MEMORY.Chromium : undefined));
});
