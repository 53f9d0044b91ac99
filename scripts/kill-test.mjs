/**
 * `npm run kill-test -- --kills 200 --seed 1`: `weightless train --checkpoint FILE --resume` is killed (SIGKILL) at random moments and
 * begun again, until it is done; then the next training begins. After each kill there is no checkpoint yet, or a whole one that is no older
 * than the last; each training ends in the model, bit for bit, of one that nobody killed.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCheckpoint } from '../dist/train.js';
import { writeStripedImages } from '../test/striped-images.mjs';
import { root } from './setup.mjs';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const kills = Number(values.kills);
let state = Number(values.seed) >>> 0;
/** From 0 to 1; the moments of the kills are also the machine's own. */
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};

const folder = mkdtempSync(join(tmpdir(), 'weightless-kill-'));
const [checkpoint, out, uninterrupted] = ['training.checkpoint', 'killed.safetensors', 'whole.safetensors'].map(
  (name) => join(folder, name),
);

const data = join(folder, 'data');
writeStripedImages(data, 384);
const train = [
  'train',
  '--data-dir',
  data,
  '--units',
  '32',
  '--batch',
  '32',
  '--epochs',
  '40',
  '--seed',
  '5',
  '--json',
];

/** Runs the command line; killed after so many milliseconds, if it is not done before. */
function run(args, killAfter) {
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...train, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  return new Promise((resolve) =>
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, killed: signal === 'SIGKILL', said, milliseconds: performance.now() - started });
    }),
  );
}

const fail = (message) => {
  console.error(`kill-test: ${message}\nseed ${values.seed}; the files are in ${folder}`);
  process.exit(1);
};

const whole = await run(['--out', uninterrupted]);
if (whole.code !== 0) fail(`the training that nobody kills ended with ${whole.code}: ${whole.said}`);
const wanted = readFileSync(uninterrupted);
let [done, inTraining, unfinished, trainings, epoch] = [0, 0, 0, 0, 0];
const finish = (ended) => {
  if (ended.code !== 0) fail(`a training that went on ended with ${ended.code}: ${ended.said}`);
  if (!readFileSync(out).equals(wanted)) fail('a training that was killed and went on ended in another model');
  trainings++;
  for (const file of [checkpoint, out]) rmSync(file);
  epoch = 0;
};
while (done < kills) {
  const ended = await run(['--checkpoint', checkpoint, '--resume', '--out', out], random() * 1.1 * whole.milliseconds);
  if (!ended.killed) {
    finish(ended);
    continue;
  }
  done++;
  unfinished += readdirSync(folder).filter((name) => name.endsWith('.tmp')).length;
  if (existsSync(checkpoint)) {
    const found = readCheckpoint(readFileSync(checkpoint)).state.epoch;
    if (found < epoch) fail(`expected a checkpoint of epoch ${epoch} or later, got one of ${found}`);
    if (found > epoch) inTraining++;
    epoch = found;
  } else if (epoch > 0) {
    fail(`the checkpoint of epoch ${epoch} is gone`);
  }
  if (done % 20 === 0) console.error(`${done} kills, ${trainings} trainings done`);
}
finish(await run(['--checkpoint', checkpoint, '--resume', '--out', out]));
const left = readdirSync(folder).filter((name) => name.endsWith('.tmp'));
if (left.length) fail(`expected no unfinished files, got ${left}`);
rmSync(folder, { recursive: true });
console.log(
  `${done} kills, seed ${values.seed}: ${inTraining} behind a new checkpoint, ${unfinished} in the middle of writing a file; ` +
    `${trainings} trainings ended in the bits of one that nobody killed; nothing lost`,
);
