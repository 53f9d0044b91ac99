/** Shows facts about the model: its layers, its size, its accuracy, its latency and the backend. */
import { adapterName, type Backend, type Model, modelSize } from 'weightless-gpu';
import { bytes, count } from '../../src/core/format.ts';
import { layerName } from '../../src/model/layer-name.ts';
import { byId, make } from './dom.ts';

/** The network in one line: '28 \u00d7 28, half 1024 normal relu, dense 10 identity'. */
export const architecture = ({ input, layers }: Model): string =>
  [input.join(' \u00d7 '), ...layers.map(layerName)].join(', ');

/** Size in bytes of the model if it also stored its random weights, at four bytes per number. */
export function storedBytes(model: Model): number {
  const { storedNumbers, regeneratedWeights } = modelSize(model);
  return 4 * (storedNumbers + regeneratedWeights);
}

/** Why this backend was chosen. */
const reasons: { [name in Backend['backend']]: (backend: Backend) => string } = {
  cpu: ({ info }) => `${info}.`,
  webgpu: ({ adapter }) =>
    adapter.software
      ? 'A software adapter: this browser gives pages no access to a GPU, so the CPU emulates one.'
      : 'The default GPU of this browser.',
};

export const reason = (context: Backend): string => reasons[context.backend](context);

export interface Facts {
  readonly model: Model;
  readonly fileBytes: number;
  readonly accuracy?: number | undefined;
  readonly context: Backend;
}

const latency = make('dd', { textContent: '\u2013' });

export function showFacts({ model, fileBytes, accuracy, context }: Facts): void {
  const { trainedParameters, regeneratedWeights } = modelSize(model);
  const stored = storedBytes(model);
  const bar = make('i');
  bar.style.width = `${(100 * fileBytes) / stored}%`;
  const fact = (name: string, ...value: (Node | string)[]) =>
    make('div', {}, make('dt', { textContent: name }), make('dd', {}, ...value));
  const small = (text: string) => make('small', { textContent: text });
  byId('facts').replaceChildren(
    fact(
      'Model file',
      bytes(fileBytes),
      make('span', { className: 'scale', ariaHidden: 'true' }, bar),
      small(`${(stored / fileBytes).toFixed(0)} times smaller than with all weights stored as f32 (${bytes(stored)})`),
    ),
    fact('Network', architecture(model)),
    fact(
      'Trained parameters',
      count(trainedParameters),
      small(
        regeneratedWeights ? `plus ${count(regeneratedWeights)} regenerated random weights` : 'and no random weights',
      ),
    ),
    ...(accuracy ? [fact('Accuracy on 10,000 test images', `${(100 * accuracy).toFixed(2)}%`)] : []),
    make('div', {}, make('dt', { textContent: 'One prediction' }), latency),
    fact('Runs on', adapterName(context.adapter), small(reason(context))),
  );
}

export function showLatency(milliseconds: number): void {
  latency.textContent = `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`;
}
