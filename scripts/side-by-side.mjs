/**
 * Runs commands in parallel, one more than there are cores. Prints the output of each in one piece when it ends, or
 * immediately if it is the only one.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Commands also wait for pages, processes and drivers, so cores would be idle with one command each. Software drivers
 * compute on all cores, so many commands slow one another down.
 */
const PLACES = availableParallelism() + 1;

/**
 * Starts jobs in order; a job with `after` waits for that job to end. Resolves to the result of each job, in order: its
 * exit status (null if it was killed or could not start) and its duration.
 */
export async function sideBySide(jobs, options) {
  const folder = mkdtempSync(join(tmpdir(), 'weightless-said-'));
  const waiting = [...jobs];
  const ended = new Map();
  const ready = ({ after }) => !after || ended.has(after);
  const run = async (job) => {
    const alone = jobs.length === 1;
    const file = join(folder, job.name);
    const out = alone ? 'inherit' : openSync(file, 'w');
    console.log(alone ? `\n== ${job.name}` : `starting ${job.name}`);
    const started = Date.now();
    const status = await new Promise((resolve) => {
      const child = spawn(job.command, job.args, { ...options, stdio: ['ignore', out, out] });
      child.once('exit', resolve);
      child.once('error', ({ message }) => {
        console.error(`${job.name}: could not run ${job.command}: ${message}`);
        resolve(null);
      });
    });
    const seconds = (Date.now() - started) / 1000;
    if (!alone) {
      closeSync(out);
      console.log(`\n== ${job.name}, ${seconds.toFixed(1)} s\n${readFileSync(file, 'utf8')}`);
    }
    ended.set(job.name, { name: job.name, status, seconds });
  };
  const running = new Set();
  while (waiting.length || running.size) {
    const next = running.size < PLACES ? waiting.findIndex(ready) : -1;
    if (next < 0) {
      await Promise.race(running);
      continue;
    }
    const [job] = waiting.splice(next, 1);
    const one = run(job).then(() => running.delete(one));
    running.add(one);
  }
  rmSync(folder, { recursive: true });
  return jobs.map(({ name }) => ended.get(name));
}
