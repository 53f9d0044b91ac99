/** Training in the page: settings, progress, curves and the table of trained networks. */
import {
  type Backend,
  DeviceLostError,
  dense,
  halfDense,
  type LayerSpec,
  randomDense,
  sequential,
} from 'weightless-gpu';
import { type FieldName, fieldNames, halfFields, randomFields } from 'weightless-gpu/fields';
import { cosine, type FitProgress, fit, PrefixCache, saveModel } from 'weightless-gpu/train';
import { bytes, count, percent } from '../../src/core/format.ts';
import { type DistributionName, distributionNames } from '../../src/weights/distributions.ts';
import { isField } from '../../src/weights/fields.ts';
import { Charts, type Curve } from './chart.ts';
import { type DataIndex, fetchData, fetchIndex } from './data.ts';
import { byId, make, showProblem } from './dom.ts';
import { type DataName, dataSets } from './models.ts';
import { RunControl } from './run-control.ts';
import { listRun, type Trained } from './runs.ts';

const KINDS = ['half', 'full', 'random'] as const;
type Kind = (typeof KINDS)[number];

interface Settings {
  readonly kind: Kind;
  readonly units: number;
  readonly weights: DistributionName | FieldName;
  readonly data: DataName;
  readonly epochs: number;
  readonly seed: number;
}

/** Memory limit for the cached products of the frozen first layer. Above it, every step recomputes them. */
const PREFIX_BYTES = 400 * 2 ** 20;

/** After this many device losses the page gives up on a training run. */
const MOST_LOSSES = 2;

const form = byId<HTMLFormElement>('settings');
const [startButton, pauseButton, stopButton] = ['start', 'pause', 'stop'].map((id) => byId<HTMLButtonElement>(id)) as [
  HTMLButtonElement,
  HTMLButtonElement,
  HTMLButtonElement,
];
const bar = byId<HTMLProgressElement>('progress');
const status = byId('status');
const problem = byId('train-problem');
const restarted = byId('restarted');

/** `open` returns the present context, which changes after a device loss. */
export async function setUpTraining(open: () => Promise<Backend>, use: (trained: Trained) => void): Promise<void> {
  const index = await fetchIndex();
  const field = (name: string) => form.elements.namedItem(name) as HTMLSelectElement;
  const fill = (name: string, options: readonly (readonly [value: string, text: string])[], chosen?: string) =>
    field(name).replaceChildren(
      ...options.map(([value, textContent]) => make('option', { value, textContent, selected: value === chosen })),
    );
  fill(
    'units',
    [256, 512, 1024, 2048, 4096].map((n) => [String(n), count(n)] as const),
    '1024',
  );
  fill(
    'weights',
    [...distributionNames, ...fieldNames].map((name) => [name, name] as const),
    'orthogonal',
  );
  fill(
    'data',
    Object.keys(index).map((name) => [name, dataSets[name as DataName].title] as const),
  );
  const charts = new Charts(byId('loss-chart'), byId('accuracy-chart'));
  let prefixes: { key: string; cache: PrefixCache } | undefined;
  /** The cache of frozen products for these settings. Frees the cache of other settings. */
  const prefixesFor = (context: Backend, { kind, data, seed, weights, units }: Settings) => {
    if (kind === 'full') return undefined;
    const key = [data, seed, weights, units].join();
    if (prefixes?.key !== key || prefixes.cache.context !== context) {
      prefixes?.cache.dispose();
      prefixes = { key, cache: new PrefixCache(context) };
    }
    return prefixes.cache;
  };

  const settings = (): Settings => {
    const of = new FormData(form);
    return {
      kind: of.get('kind') as Kind,
      units: Number(of.get('units')),
      weights: of.get('weights') as DistributionName | FieldName,
      data: of.get('data') as DataName,
      epochs: Number(of.get('epochs')),
      seed: Number(of.get('seed')),
    };
  };
  form.addEventListener('change', () => {
    field('weights').disabled = settings().kind === 'full';
  });

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const chosen = settings();
    showProblem(problem, undefined);
    restarted.textContent = '';
    const run = new RunControl();
    setRunning(true);
    try {
      let trained: Trained | undefined;
      for (let losses = 0; ; losses++) {
        const context = await open();
        try {
          trained = await train(context, chosen, index, charts, run, prefixesFor(context, chosen));
          break;
        } catch (error) {
          if (!(error instanceof DeviceLostError) || losses === MOST_LOSSES) throw error;
          await context.lost; // `open` now returns the new context
          restarted.textContent = 'The graphics device was lost during training, so training was restarted.';
        }
      }
      if (trained) {
        listRun(trained, use);
        use(trained);
      }
    } catch (error) {
      showProblem(problem, error);
      status.textContent = 'Training failed.';
    } finally {
      run.end();
      setRunning(false);
    }
  });
}

function setRunning(running: boolean): void {
  for (const element of form.elements) {
    if (element instanceof HTMLInputElement || element instanceof HTMLSelectElement) element.disabled = running;
  }
  startButton.disabled = running;
  pauseButton.disabled = stopButton.disabled = !running;
  if (!running) form.dispatchEvent(new Event('change'));
}

const nameOf = ({ kind, units, weights }: Settings) => `${count(units)} ${kind}${kind === 'full' ? '' : ` ${weights}`}`;

function hiddenLayer({ kind, units, weights }: Settings): LayerSpec {
  if (kind === 'full') return dense({ units, activation: 'relu' });
  if (isField(weights)) return (kind === 'half' ? halfFields : randomFields)({ units, weights });
  return (kind === 'half' ? halfDense : randomDense)({ units, weights, activation: 'relu' });
}

const network = (chosen: Settings): LayerSpec[] => [hiddenLayer(chosen), dense({ units: 10 })];

/** Trains a network and measures the time. Returns undefined if it was stopped before the first epoch was complete. */
async function train(
  context: Backend,
  chosen: Settings,
  index: DataIndex,
  charts: Charts,
  run: RunControl,
  prefixes: PrefixCache | undefined,
): Promise<Trained | undefined> {
  const { epochs, seed, data, kind } = chosen;
  const title = nameOf(chosen);
  status.textContent = 'Loading images.';
  const { train, test } = await fetchData(data, index[data]!, (done, total) => {
    bar.value = done / total;
    status.textContent = `Loading images: ${bytes(done)} of ${bytes(total)}.`;
  });
  const model = sequential(network(chosen), { input: train.shape, seed });
  const curve = charts.begin(title);
  charts.update();
  const follow = follower(curve, epochs, charts);
  const started = performance.now();
  let accuracy: number | undefined;
  let whole = 0;
  try {
    const learningRate = cosine(kind === 'full' ? 0.001 : 0.004);
    const options = {
      epochs,
      learningRate,
      validation: test,
      signal: run.stop,
      prefixBudget: PREFIX_BYTES,
      ...(prefixes && { prefixes }),
      async onProgress(progress: FitProgress) {
        follow(progress);
        await run.pass();
      },
    };
    for await (const { epoch, validation } of fit(context, model, train, options)) {
      whole = epoch;
      accuracy = validation!.accuracy;
      curve.testX.push(epoch);
      curve.testAccuracy.push(accuracy);
      charts.update();
      status.textContent = `Epoch ${epoch} of ${epochs}: test accuracy ${percent(accuracy)}.`;
    }
  } catch (error) {
    if (!run.stop.aborted) throw error;
  }
  const seconds = (performance.now() - started) / 1000;
  bar.value = accuracy === undefined ? 0 : 1;
  if (accuracy === undefined) {
    status.textContent = 'Stopped before the first epoch was complete: no network to list.';
    return undefined;
  }
  status.textContent =
    `${run.stop.aborted ? `Stopped after epoch ${whole}` : 'Done'}: test accuracy ${percent(accuracy)} ` +
    `in ${seconds.toFixed(1)} s. The drawing area above now uses this network.`;
  return { title: `${title} (trained here)`, model, file: saveModel(model), data, accuracy, seconds };
}

/**
 * Turns progress reports into the status text, the progress bar and points of the curves. A point is the mean since the
 * last report, not since the start of the epoch.
 */
function follower(curve: Curve, epochs: number, charts: Charts): (progress: FitProgress) => void {
  let last = { epoch: 0, done: 0, loss: 0, hits: 0 };
  return ({ phase, epoch, done, total, means }) => {
    if (phase === 'prefix') {
      bar.value = done / total;
      status.textContent = `Computing the frozen random layer once per image: ${count(done)} of ${count(total)}.`;
      return;
    }
    if (phase === 'validate') {
      status.textContent = `Epoch ${epoch} of ${epochs}: evaluated ${count(done)} of ${count(total)} test images.`;
      return;
    }
    bar.value = (epoch - 1 + done / total) / epochs;
    if (!means) return;
    if (last.epoch !== epoch) last = { epoch, done: 0, loss: 0, hits: 0 };
    const now = { epoch, done, loss: means.loss * done, hits: means.accuracy * done };
    const rows = done - last.done;
    curve.x.push(epoch - 1 + done / total);
    curve.loss.push((now.loss - last.loss) / rows);
    curve.accuracy.push((now.hits - last.hits) / rows);
    last = now;
    charts.update();
    status.textContent =
      `Epoch ${epoch} of ${epochs}: ${count(done)} of ${count(total)} images, loss ${means.loss.toFixed(3)}, ` +
      `accuracy ${percent(means.accuracy)}.`;
  };
}
