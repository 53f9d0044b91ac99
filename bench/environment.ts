/** Where and when a run was made, for its reports. */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { root } from '../scripts/setup.mjs';
import { VERSION } from '../src/core/version.ts';
import bench from './package.json' with { type: 'json' };

/** The commit of the checkout, with a plus sign if files differ from it; undefined outside of a checkout. */
function commit(): string | undefined {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain') ? '+' : '');
  } catch {
    return undefined;
  }
}

/** Date, versions and machine. The target adds its adapter and browser. */
export const runEnvironment = () => ({
  date: new Date().toISOString(),
  weightless: VERSION,
  commit: commit(),
  peers: bench.dependencies,
  processor: cpus()[0]?.model,
  system: `${process.platform} ${process.arch}`,
});
