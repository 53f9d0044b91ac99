/** The page: one drawing, one model and its prediction. Everything else follows from these. */
import { type Model, modelSize, outputSize } from 'weightless-gpu';
import { bytes, count } from '../../src/core/format.ts';
import { Classifier } from './classifier.ts';
import { byId, make, onTheme, setUpTheme, showProblem } from './dom.ts';
import { type Facts, showFacts, showLatency } from './facts.ts';
import { showFields } from './fields.ts';
import { isModelFile, readPicture, setUpFiles } from './files.ts';
import { toInput } from './ink.ts';
import { type DataName, dataSets, fetchModels, type ModelEntry } from './models.ts';
import { Pad } from './pad.ts';
import { showClasses, showScores } from './prediction.ts';
import { paintImage, samplesOf, showSamples } from './samples.ts';

setUpTheme(byId<HTMLButtonElement>('theme'));
const problem = byId('problem');
const chooser = byId<HTMLSelectElement>('model');
const output = byId('prediction');
const seen = byId<HTMLCanvasElement>('seen');
const notice = byId('notice');
const classifier = new Classifier({
  onLost: () => {
    notice.textContent = 'The graphics device was lost. Reopening it.';
  },
  onReopened(context) {
    notice.textContent =
      'The graphics device was lost and has been reopened. Your drawing and the model are unchanged.';
    if (facts) showFacts({ ...facts, context });
  },
  onGone(error) {
    notice.textContent = '';
    showProblem(problem, error);
  },
});
classifier.context.catch((error) => showProblem(problem, error));

/** The models to choose from: those of the registry, and those trained or opened in the page. */
const offers = new Map<string, { entry: Omit<ModelEntry, 'file'>; file: string | Uint8Array<ArrayBuffer> }>();
const trained = new Map<Model, string>();
let shown = '';
/** Choices are numbered. A model that finishes loading after a later choice was shown is dropped. */
let choices = 0;
let shownChoice = 0;
/** Ids of the models that are still loading, by choice. */
const pending = new Map<number, string>();
let facts: Facts | undefined;
let data: DataName = 'mnist';
let sampled: DataName | undefined;
let input: Float32Array | undefined;

async function classify(next: Float32Array | undefined): Promise<void> {
  input = next;
  paintImage(seen, input);
  if (!input) {
    output.ariaBusy = 'false';
    showScores(undefined);
    return;
  }
  output.ariaBusy = 'true';
  const prediction = await classifier.classify(input);
  if (!prediction) return; // replaced by a newer drawing, or no model yet
  if (input === next) output.ariaBusy = 'false';
  showScores(prediction.scores);
  showLatency(prediction.milliseconds);
}

const attempt = (work: Promise<unknown>) => work.catch((error) => showProblem(problem, error));
const pad = new Pad(byId<HTMLCanvasElement>('pad'), () =>
  attempt(classify(toInput(pad.read(), dataSets[data].placement))),
);
byId('clear').addEventListener('click', () => pad.clear());
onTheme(() => paintImage(seen, input));

const putImage = (image: Float32Array) => {
  pad.put(image);
  attempt(classify(image));
};

async function open(id: string, choice: number): Promise<void> {
  const { entry, file } = offers.get(id)!;
  const loading = typeof file === 'string' ? `models/${file}` : file;
  showProblem(problem, undefined);
  notice.textContent = '';
  let size = typeof file === 'string' ? 0 : file.length;
  const onProgress = (loaded: number) => {
    size = loaded;
  };
  const [next, samples] = await Promise.all([classifier.load(loading, onProgress), samplesOf(entry.data)]);
  const context = await classifier.context;
  if (choice < shownChoice) return next.dispose();
  // No await from here to the last line, so that the page never shows one model's test images under another's name.
  attempt(classifier.use(next));
  const { model } = next;
  shown = id;
  shownChoice = choice;
  data = entry.data;
  const { classes } = dataSets[data];
  const outputs = outputSize(model);
  showClasses(outputs === classes.length ? classes : Array.from({ length: outputs }, (_, i) => String(i)));
  showLead(model, size);
  facts = { model, fileBytes: size, accuracy: entry.accuracy, context };
  showFacts(facts);
  showFields(model);
  if (sampled !== data) {
    sampled = data;
    showSamples(samples, putImage);
    if (samples[0]) return putImage(samples[0]);
  }
  await classify(input);
}

function showLead(model: Model, size: number): void {
  const { regeneratedWeights, trainedParameters } = modelSize(model);
  const full = regeneratedWeights === 0;
  byId('lead-weights').textContent = full
    ? `${count(trainedParameters)} trained parameters`
    : `${count(regeneratedWeights)} random weights`;
  byId('lead-stored').textContent = full ? 'All of them stored.' : 'None of them stored.';
  byId('lead-full').hidden = !full;
  byId('lead-random').hidden = full;
  byId('lead-bytes').textContent = bytes(size);
}

/** Adds a model to the list. Returns its id. */
function offer(entry: Omit<ModelEntry, 'file'>, file: string | Uint8Array<ArrayBuffer>): string {
  const id = String(offers.size);
  offers.set(id, { entry, file });
  chooser.append(make('option', { value: id, textContent: entry.title }));
  return id;
}

/** Opens a model of the list. If that fails, the present model stays; a file that is no model leaves the list. */
async function choose(id: string): Promise<void> {
  const choice = ++choices;
  pending.set(choice, id);
  chooser.value = id;
  try {
    await open(id, choice);
  } catch (error) {
    if (choice > shownChoice) showProblem(problem, error);
    if (typeof offers.get(id)?.file !== 'string') chooser.querySelector(`option[value="${id}"]`)?.remove();
  } finally {
    pending.delete(choice);
    chooser.value = [...pending.values()].at(-1) ?? shown;
  }
}

chooser.addEventListener('change', () => choose(chooser.value));

setUpFiles((file) =>
  attempt(
    (async () => {
      showProblem(problem, undefined);
      if (isModelFile(file)) {
        await choose(offer({ title: file.name, data, accuracy: 0 }, new Uint8Array(await file.arrayBuffer())));
        return;
      }
      const image = toInput(await readPicture(file), dataSets[data].placement);
      if (!image) throw new Error('expected a picture with something drawn on it, got an empty one');
      putImage(image);
    })(),
  ),
);

attempt(
  fetchModels().then((entries) => {
    const [first] = entries.map(({ file, ...entry }) => offer(entry, file));
    return choose(first!);
  }),
);

/** Calls `setUp` when a part of the page is about to scroll into view. */
function whenNear(id: string, rootMargin: string, setUp: () => Promise<unknown>): void {
  new IntersectionObserver(
    ([entry], observer) => {
      if (!entry?.isIntersecting) return;
      observer.disconnect();
      attempt(setUp());
    },
    { rootMargin },
  ).observe(byId(id));
}

whenNear('teach', '200px', async () => (await import('./teach.ts')).setUpTeaching());
whenNear('train', '600px', async () => {
  const { setUpTraining } = await import('./trainer.ts');
  await setUpTraining(
    () => classifier.context,
    ({ title, model, file, data, accuracy }) => {
      const id = trained.get(model) ?? offer({ title, data, accuracy }, file);
      trained.set(model, id);
      choose(id);
    },
  );
});
