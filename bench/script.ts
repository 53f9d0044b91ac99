/** The code of Chart.js for reports. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/setup.mjs';

/** Undefined without the peers installed: then a report has no charts. */
export function chartScript(): string | undefined {
  const path = join(root, 'bench/node_modules/chart.js/dist/chart.umd.js');
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}
