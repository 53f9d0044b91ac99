/**
 * Teach it: three things of one's own, drawn or shown to the camera, recognised while they are drawn. A learner keeps
 * sums over the examples, which the browser stores; the examples themselves are gone.
 */
import { createContext, dense, type Predictor, sequential } from 'weightless-gpu';
import { averagePool2d, randomConv2d } from 'weightless-gpu/convolution';
import { createLearner, type Learner, loadLearner } from 'weightless-gpu/train';
import { bytes } from '../../src/core/format.ts';
import { Camera } from './camera.ts';
import { byId, showProblem } from './dom.ts';
import { SIDE, toInput } from './ink.ts';
import { Pad } from './pad.ts';
import { type Kept, Shelf } from './shelf.ts';
import { makeTeachBoard, type TeachBoard } from './teach-board.ts';

/** What the learner calls the three things. Their names on the page may change. */
const CLASSES = ['A', 'B', 'C'];

/** So many examples of each are a good start. */
const ENOUGH = 12;

/** Milliseconds between two looks at the camera. */
const LOOK = 150;

type Input = Float32Array<ArrayBuffer>;

/** 576 features: the means of 64 random filters over nine overlapping parts of the picture. */
const features = () =>
  sequential(
    [
      randomConv2d({ channels: 64, kernel: 7 }),
      averagePool2d({ size: 8, stride: 7 }),
      dense({ units: CLASSES.length }),
    ],
    { input: [SIDE, SIDE], seed: 1 },
  );

export async function setUpTeaching(): Promise<void> {
  const board = makeTeachBoard(CLASSES);
  byId('teach-board').replaceChildren(...board.parts);
  await open(board).catch((error) => showProblem(board.problem, error));
}

async function open(board: TeachBoard): Promise<void> {
  // A dozen pictures are too little work for a GPU, and a CPU is never lost.
  const context = await createContext({ backend: 'cpu' });
  const shelf = new Shelf();
  const kept = await shelf.read();
  let learner = await openLearner(kept);
  let predictor: Predictor | undefined;
  /** Examples of this visit, which can be taken back. */
  const given: { input: Input; label: string }[] = [];
  const attempt = (work: Promise<unknown>) => work.catch((error) => showProblem(board.problem, error));

  /** A state that can't be read is one of an earlier page: we start anew. */
  async function openLearner(kept: Kept | undefined): Promise<Learner> {
    if (kept) {
      const loaded = await loadLearner(context, kept.state).catch(() => undefined);
      if (loaded && String(loaded.classes) === String(CLASSES)) return loaded;
      await loaded?.dispose();
    }
    return createLearner(context, features(), { classes: CLASSES });
  }

  const names = () => board.rows.map(({ name }, i) => name.value.trim() || CLASSES[i]!);
  for (const [i, { name }] of board.rows.entries()) {
    name.value = kept?.names[i] ?? CLASSES[i]!;
    name.addEventListener('input', () => showNames());
    name.addEventListener('change', () => attempt(save()));
  }
  const showNames = () => {
    for (const [i, name] of names().entries()) board.rows[i]!.teach.ariaLabel = `Teach ${name}`;
  };

  /** What is drawn now, or before the camera; undefined for nothing. */
  let seen: Input | undefined;
  let asked = 0;
  let looking = false;

  /** Recognises the newest input with the newest predictor. What is older and still waits is dropped. */
  async function recognise(input: Input | undefined): Promise<void> {
    seen = input;
    asked++;
    board.output.ariaBusy = 'true';
    if (looking) return;
    looking = true;
    try {
      for (let done = 0; done !== asked; ) {
        done = asked;
        const scores = seen && (await predictor?.predict(seen));
        if (done === asked) board.showScores(scores, names());
      }
    } finally {
      looking = false;
      board.output.ariaBusy = 'false';
    }
  }

  let solving: Promise<void> | undefined;
  let stale = false;

  /** Solves until no example came in the meantime. */
  function refresh(): Promise<void> {
    stale = true;
    solving ??= (async () => {
      try {
        while (stale) {
          stale = false;
          await solve();
        }
      } finally {
        solving = undefined;
      }
    })();
    return solving;
  }

  async function solve(): Promise<void> {
    const counts = learner.counts;
    const started = performance.now();
    const last = predictor;
    predictor = counts.filter((count) => count > 0).length < 2 ? undefined : await learner.solve();
    const spent = performance.now() - started;
    await last?.dispose();
    const saved = await save();
    board.showCounts(counts, ENOUGH);
    const total = counts.reduce((a, b) => a + b);
    board.status.textContent =
      total === 0
        ? 'No examples yet: draw something and press the button of its row.'
        : `${predictor ? `Solved in ${spent.toFixed(0)} ms. ` : 'Now one of another thing. '}` +
          (saved === undefined
            ? 'This browser does not store it.'
            : `${bytes(saved)} stored in this browser, however many examples.`);
    board.undo.disabled = given.length === 0;
    board.forget.disabled = total === 0;
    await recognise(seen);
  }

  /** The bytes that the browser stores; undefined if it stores none. */
  async function save(): Promise<number | undefined> {
    const state = await learner.save();
    return (await shelf.write({ state, names: names() })) ? state.length : undefined;
  }

  const pad = new Pad(board.pad, () => attempt(recognise(toInput(pad.read(), 'digit'))));
  const camera = new Camera(board.video);

  async function teach(label: string): Promise<void> {
    showProblem(board.problem, undefined);
    const input = camera.running ? camera.look() : toInput(pad.read(), 'digit');
    if (!input) {
      board.status.textContent = 'Nothing is drawn yet.';
      return;
    }
    await learner.add(input, label);
    given.push({ input, label });
    if (!camera.running) pad.clear();
    await refresh();
  }

  async function undo(): Promise<void> {
    const last = given.pop();
    if (!last) return;
    await learner.remove(last.input, last.label);
    await refresh();
  }

  async function forget(): Promise<void> {
    const old = learner;
    learner = await createLearner(context, features(), { classes: CLASSES });
    given.length = 0;
    await old.dispose();
    await refresh();
  }

  async function toggleCamera(): Promise<void> {
    showProblem(board.problem, undefined);
    if (camera.running) camera.stop();
    else await camera.start();
    board.showCamera(camera.running);
    if (camera.running) watch();
    await recognise(camera.running ? camera.look() : toInput(pad.read(), 'digit'));
  }

  function watch(): void {
    setTimeout(async () => {
      if (!camera.running) return;
      await attempt(recognise(camera.look()));
      watch();
    }, LOOK);
  }

  for (const [i, { teach: button }] of board.rows.entries()) {
    button.addEventListener('click', () => attempt(teach(CLASSES[i]!)));
  }
  board.clear.addEventListener('click', () => pad.clear());
  board.undo.addEventListener('click', () => attempt(undo()));
  board.forget.addEventListener('click', () => attempt(forget()));
  board.camera.addEventListener('click', () => attempt(toggleCamera()));
  board.camera.hidden = !Camera.available;
  showNames();
  await refresh();
  for (const control of [board.clear, board.camera, ...board.rows.map(({ teach }) => teach)]) control.disabled = false;
}
