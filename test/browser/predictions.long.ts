/** `npm run test:long`: ten thousand predictions in a page. */
import { it } from 'vitest';
import { browserNames } from './harness.ts';
import { predictMany } from './many-predictions.ts';

it.each(browserNames)('%s: 10,000 predictions leave memory as it was', (name) => predictMany(name, 10_000));
