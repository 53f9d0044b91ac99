/**
 * `npm run kill-test -- --kills 200 --seed 1` kills `weightless train --checkpoint FILE --resume` (SIGKILL) and
 * restarts it until it completes, then starts the next training run. Three of four kills target a write: they wait
 * until the process starts to write its next checkpoint (or the one after, or the model) and strike while it writes.
 * The others strike at any moment. After each kill, the checkpoint is absent or complete and no older than the last,
 * and the model is absent or complete. Every run ends with the same model, bit for bit, as an undisturbed run, and
 * leaves no other file.
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
/** A number from 0 to 1. The moments of the kills also depend on the machine's timing. */
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

/** Files that are being written have this extension until they are renamed. */
const unfinishedFiles = () => readdirSync(folder).filter((name) => name.endsWith('.tmp'));

/**
 * Runs the command line and kills it after `after` milliseconds unless it completes first. With `write`, the time
 * counts from the start of that write (from 1 on). `onWrite` receives the duration in milliseconds of each complete
 * write.
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
      onWrite?.(performance.now() - begun); // renamed: the write is complete
      return;
    }
    writing.set(name, performance.now());
    if (writing.size !== write) return;
    // Busy-wait, because timers only resolve whole milliseconds and a write takes about one.
    for (const until = performance.now() + after; performance.now() < until; );
    strike();
  });
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...train, ...args], {
    env: { ...process.env, SOURCE_DATE_EPOCH: '0' }, // all files have the same date, even past midnight
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
if (whole.code !== 0) fail(`the undisturbed run exited with ${whole.code}: ${whole.said}`);
rmSync(checkpoint);
const wanted = readFileSync(uninterrupted);
const usual = writes.sort((a, b) => a - b)[writes.length >> 1];
let [done, aimed, inTraining, unfinished, trainings, epoch] = [0, 0, 0, 0, 0, 0];
let before = []; // leftovers of an earlier kill, until --resume removes them
const finish = (ended) => {
  if (ended.code !== 0) fail(`a resumed run exited with ${ended.code}: ${ended.said}`);
  if (!readFileSync(out).equals(wanted)) fail('a killed and resumed run produced a different model');
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
  if (existsSync(out) && !readFileSync(out).equals(wanted)) fail('a killed run left a different model');
  if (existsSync(checkpoint)) {
    const found = readCheckpoint(readFileSync(checkpoint)).state.epoch;
    if (found < epoch) fail(`expected a checkpoint of epoch ${epoch} or later, got one of ${found}`);
    if (found > epoch) inTraining++;
    epoch = found;
  } else if (epoch > 0) {
    fail(`the checkpoint of epoch ${epoch} is gone`);
  }
  if (done % 20 === 0)
    console.error(`${done} kills, ${unfinished} during a write, ${trainings} training runs completed`);
}
finish(await run(['--checkpoint', checkpoint, '--resume', '--out', out]));
const left = unfinishedFiles();
if (left.length) fail(`expected no unfinished files, got ${left}`);
rmSync(folder, { recursive: true });
console.log(
  `${done} kills, seed ${values.seed}, ${aimed} of them aimed at a write (of ${usual.toFixed(1)} ms): ${unfinished} hit a write, ` +
    `${inTraining} came after a new checkpoint; ${trainings} runs ended with the bits of an undisturbed run; nothing lost`,
);
