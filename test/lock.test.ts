/** The lock of a results file: of many processes that want it at once, exactly one holds it, whoever left it behind. */
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, expect, it } from 'vitest';
import { releaseLock, takeLock } from '../tools/common/lock.ts';

const folder = mkdtempSync(join(tmpdir(), 'weightless-lock-'));
const program = join(folder, 'contender.mjs');
buildSync({
  stdin: {
    contents: `
      import { releaseLock, takeLock } from './lock.ts';
      process.on('message', async ({ lock, release }) => {
        if (release) releaseLock(lock);
        const holder = release ? undefined : await takeLock(lock);
        process.send({ held: !release && holder === undefined, holder });
      });
      process.on('disconnect', () => process.exit());
      process.send({});`,
    resolveDir: join(import.meta.dirname, '../tools/common'),
    loader: 'ts',
  },
  outfile: program,
  bundle: true,
  format: 'esm',
  platform: 'node',
});

const heard = (child: ChildProcess) =>
  new Promise<{ held: boolean; holder?: { pid: number } }>((resolve) => child.once('message', resolve as never));
const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.disconnect();
  rmSync(folder, { recursive: true, force: true });
});

const gone = () => spawnSync(process.execPath, ['-e', '']).pid;

it('exactly one of eight processes takes a stale, a half-written or no lock, in each of 60 rounds', async () => {
  children.push(...Array.from({ length: 8 }, () => fork(program)));
  await Promise.all(children.map(heard));
  const dead = gone();
  const left = [
    JSON.stringify({ pid: dead, host: hostname() }),
    '{"pid":',
    JSON.stringify({ pid: process.pid, host: hostname(), start: '0' }), // the number is in use again
    undefined,
  ];
  for (let round = 0; round < 60; round++) {
    const lock = join(folder, `round-${round}.lock`);
    const content = left[round % left.length];
    if (content !== undefined) writeFileSync(lock, content);
    if (round % 3 === 0) {
      // One that was killed in the gate.
      writeFileSync(`${lock}.0123456789abcdef.flag`, JSON.stringify({ pid: dead, host: hostname() }));
    }
    const said = children.map(heard);
    for (const child of children) child.send({ lock });
    const answers = await Promise.all(said);
    const holders = children.filter((_, i) => answers[i]!.held);
    expect(holders.length, `round ${round}`).toBe(1);
    for (const { held, holder } of answers) if (!held) expect(holder!.pid).toBe(holders[0]!.pid);
    const released = heard(holders[0]!);
    holders[0]!.send({ lock, release: true });
    await released;
  }
  expect(readdirSync(folder)).toEqual(['contender.mjs']);
}, 60_000);

it('another machine keeps its lock, and a process its own', async () => {
  const lock = join(folder, 'own.lock');
  expect(await takeLock(lock)).toBeUndefined();
  expect(await takeLock(lock)).toMatchObject({ pid: process.pid, host: hostname() });
  releaseLock(lock);
  writeFileSync(lock, JSON.stringify({ pid: gone(), host: 'another-machine' }));
  expect(await takeLock(lock)).toMatchObject({ host: 'another-machine' });
});
