/** What the model is, what it weighs and who computes it. */
import { adapterName, type Context, type CpuContext, type Model, modelSize } from 'weightless-gpu';
import { bytes, count } from '../../src/core/format.ts';
import { layerName } from '../../src/model/layer-name.ts';
import { byId, make } from './dom.ts';

/** The network in a row: '28 \u00d7 28, half 1024 normal relu, dense 10 identity'. */
export const architecture = ({ input, layers }: Model): string =>
  [input.join(' \u00d7 '), ...layers.map(layerName)].join(', ');

/** Bytes of the whole model if its random weights were stored beside the rest, at four bytes a number. */
export function storedBytes(model: Model): number {
  const { storedNumbers, regeneratedWeights } = modelSize(model);
  return 4 * (storedNumbers + regeneratedWeights);
}

/** Why this adapter computes. */
export const reason = ({ adapter, backend, info }: Context | CpuContext): string => {
  if (backend === 'cpu') return `${info}.`;
  return adapter.software
    ? 'Software: this browser offers no GPU to pages, so the GPU is computed by the processor.'
    : 'The GPU that this browser offers first.';
};

export interface Facts {
  readonly model: Model;
  readonly fileBytes: number;
  readonly accuracy?: number | undefined;
  readonly context: Context | CpuContext;
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
      small(`${bytes(stored)} if its weights were stored as f32: ${(stored / fileBytes).toFixed(0)} times as much`),
    ),
    fact('Network', architecture(model)),
    fact(
      'Trained numbers',
      count(trainedParameters),
      small(
        regeneratedWeights
          ? `beside ${count(regeneratedWeights)} random weights, regenerated`
          : 'all that it has: none are random',
      ),
    ),
    ...(accuracy ? [fact('On 10,000 test images', `${(100 * accuracy).toFixed(2)}% right`)] : []),
    make('div', {}, make('dt', { textContent: 'One prediction' }), latency),
    fact('Computed by', adapterName(context.adapter), small(reason(context))),
  );
}

export function showLatency(milliseconds: number): void {
  latency.textContent = `${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`;
}
