/** Receptive fields of the first layer: its random weights, regenerated here and now, drawn on 2D canvases. */
import { integerWeights, type Model } from 'weightless';
import { count } from '../../src/cli/format.ts';
import { byId, colour, make, onTheme, rgb } from './dom.ts';

/** Units shown at a time. */
const SHOWN = 16;

const first = byId<HTMLInputElement>('first-unit');
const note = byId('fields-note');
const place = byId('units');
let model: Model | undefined;

export function showFields(shown: Model | undefined): void {
  model = shown;
  first.value = '0';
  draw();
}

function draw(): void {
  const layer = model?.layers[0];
  const side = model && Math.sqrt(model.input.reduce((a, b) => a * b, 1));
  byId('fields').hidden = !model || layer?.kind !== 'half' || !Number.isInteger(side);
  if (!model || layer?.kind !== 'half' || !side) return;
  const last = Math.max(0, layer.units - SHOWN);
  first.max = String(last);
  const from = Math.min(last, Math.max(0, Math.floor(Number(first.value) || 0)));
  const to = Math.min(layer.units, from + SHOWN);
  const inputs = side * side;
  const started = performance.now();
  const weights = integerWeights(
    { seed: model.seed, tensor: 0, distribution: layer.weights },
    [0, inputs],
    [from, to],
    inputs,
  );
  const taken = performance.now() - started;
  note.textContent =
    `${count((to - from) * inputs)} of ${count(layer.units * inputs)} weights (${layer.weights}), regenerated from seed ` +
    `${model.seed} in ${taken.toFixed(1)} ms. Of each unit only two numbers are stored: its scale u and its bias b.`;
  const u = model.parameters.get('layers.0.u')!;
  const b = model.parameters.get('layers.0.b')!;
  const pixels = fieldPixels(weights, side, to - from);
  place.replaceChildren(
    ...pixels.map((image, i) => {
      const unit = from + i;
      const canvas = make('canvas', {
        width: side,
        height: side,
        role: 'img',
        ariaLabel: `Random weights of unit ${unit}`,
      });
      canvas.getContext('2d')!.putImageData(image, 0, 0);
      const caption = make('figcaption', {}, make('b', { textContent: `unit ${unit}` }));
      caption.append(`u ${signed(u[unit]!)}`, make('br'), `b ${signed(b[unit]!)}`);
      return make('figure', {}, canvas, caption);
    }),
  );
}

const signed = (value: number) => value.toFixed(2).replace('-', '\u2212');

/** Each unit's weights, (inputs, units), as a picture: negative in one colour, positive in another, zero as the page. */
function fieldPixels(weights: ArrayLike<number>, side: number, units: number): ImageData[] {
  const [negative, zero, positive] = ['against', 'raised', 'accent'].map((name) => rgb(colour(name)));
  let largest = 1;
  for (let i = 0; i < weights.length; i++) largest = Math.max(largest, Math.abs(weights[i]!));
  return Array.from({ length: units }, (_, unit) => {
    const image = new ImageData(side, side);
    for (let i = 0; i < side * side; i++) {
      const share = weights[i * units + unit]! / largest;
      const end = share < 0 ? negative! : positive!;
      const mixed = end.map((byte, c) => zero![c]! + (byte - zero![c]!) * Math.abs(share));
      image.data.set([...mixed, 255], 4 * i);
    }
    return image;
  });
}

first.addEventListener('input', draw);
byId('more-units').addEventListener('click', () => {
  const next = Number(first.value) + SHOWN;
  first.value = String(next > Number(first.max) ? 0 : next);
  draw();
});
onTheme(draw);
