/**
 * `npm run kill-test -- --kills 200 --seed 1`: `weightless train --checkpoint FILE --resume` is killed (SIGKILL) and begun again, until it is
 * done; then the next training begins. Three of four kills aim at a write: they wait until the process has begun to write its next
 * checkpoint (or the one after it, or the model), and strike within the time that a write takes. The others come at any moment. After
 * each kill there is no checkpoint yet, or a whole one that is no older than the last, and no model or a whole one; each training ends in the
 * model, bit for bit, of one that nobody killed, and leaves nothing else.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readCheckpoint } from '../dist/train.js';
import { writeStripedImages } from '../test/striped-images.mjs';
import { root } from './setup.mjs';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    epochs: { type: 'string', default: '40' },
  },
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
  values.epochs,
  '--seed',
  '5',
  '--json',
];

/** A file that is being written has this end, and then another name. */
const unfinishedFiles = () => readdirSync(folder).filter((name) => name.endsWith('.tmp'));

/**
 * Runs the command line. Killed, if it is not done before, after so many milliseconds; with `write`, so many after it has begun to write for
 * that time (from 1). `onWrite` hears the milliseconds that each whole write took.
 */
function run(args, { after, write, onWrite } = {}) {
  const started = performance.now();
  const writing = new Map();
  let timer;
  const strike = () => child.kill('SIGKILL');
  const watcher = watch(folder, (event, name) => {
    if (event !== 'rename' || !name?.endsWith('.tmp')) return;
    const begun = writing.get(name);
    if (begun !== undefined) {
      onWrite?.(performance.now() - begun); // it has its own name now
      return;
    }
    writing.set(name, performance.now());
    if (writing.size !== write) return;
    // Timers wait for whole milliseconds: too coarse for what takes one.
    for (const until = performance.now() + after; performance.now() < until; );
    strike();
  });
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...train, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk) => {
    said += chunk;
  });
  if (after !== undefined && write === undefined) timer = setTimeout(strike, after);
  return new Promise((resolve) =>
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      watcher.close();
      resolve({ code, killed: signal === 'SIGKILL', said, milliseconds: performance.now() - started });
    }),
  );
}

const fail = (message) => {
  console.error(`kill-test: ${message}\nseed ${values.seed}; the files are in ${folder}`);
  process.exit(1);
};

const writes = [];
const whole = await run(['--out', uninterrupted, '--checkpoint', checkpoint], { onWrite: (ms) => writes.push(ms) });
if (whole.code !== 0) fail(`the training that nobody kills ended with ${whole.code}: ${whole.said}`);
rmSync(checkpoint);
const wanted = readFileSync(uninterrupted);
const usual = writes.sort((a, b) => a - b)[writes.length >> 1];
let [done, aimed, inTraining, unfinished, trainings, epoch] = [0, 0, 0, 0, 0, 0];
let before = []; // what an earlier kill left, until --resume has removed it
const finish = (ended) => {
  if (ended.code !== 0) fail(`a training that went on ended with ${ended.code}: ${ended.said}`);
  if (!readFileSync(out).equals(wanted)) fail('a training that was killed and went on ended in another model');
  trainings++;
  for (const file of [checkpoint, out]) rmSync(file);
  epoch = 0;
};
while (done < kills) {
  const atWrite = random() < 0.75;
  const ended = await run(
    ['--checkpoint', checkpoint, '--resume', '--out', out],
    atWrite
      ? { write: 1 + Math.floor(4 * random()), after: 0.8 * usual * random() }
      : { after: random() * 1.1 * whole.milliseconds },
  );
  if (!ended.killed) {
    finish(ended);
    continue;
  }
  done++;
  if (atWrite) aimed++;
  const here = unfinishedFiles();
  if (here.some((name) => !before.includes(name))) unfinished++;
  before = here;
  if (existsSync(out) && !readFileSync(out).equals(wanted)) fail('a training that was killed left another model');
  if (existsSync(checkpoint)) {
    const found = readCheckpoint(readFileSync(checkpoint)).state.epoch;
    if (found < epoch) fail(`expected a checkpoint of epoch ${epoch} or later, got one of ${found}`);
    if (found > epoch) inTraining++;
    epoch = found;
  } else if (epoch > 0) {
    fail(`the checkpoint of epoch ${epoch} is gone`);
  }
  if (done % 20 === 0)
    console.error(`${done} kills, ${unfinished} in the middle of writing a file, ${trainings} trainings done`);
}
finish(await run(['--checkpoint', checkpoint, '--resume', '--out', out]));
const left = unfinishedFiles();
if (left.length) fail(`expected no unfinished files, got ${left}`);
rmSync(folder, { recursive: true });
console.log(
  `${done} kills, seed ${values.seed}, ${aimed} of them aimed at a write (of ${usual.toFixed(1)} ms): ${unfinished} in the middle of writing ` +
    `a file, ${inTraining} behind a new checkpoint; ${trainings} trainings ended in the bits of one that nobody killed; nothing lost`,
);
