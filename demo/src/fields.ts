/** Draws what the units of the first layer respond to: their random weights, regenerated in the page. */
import { type HalfSpec, integerWeights, type LayerSpec, type Model } from 'weightless-gpu';
import { count } from '../../src/core/format.ts';
import { byId, colour, make, onTheme, rgb } from './dom.ts';

/** Number of units shown at a time. */
const SHOWN = 16;

/** The weights of some units, as pictures. */
interface Fields {
  readonly width: number;
  readonly height: number;
  weight(unit: number, pixel: number): number;
  /** A sentence about the weights and the time it took to regenerate them. */
  note(milliseconds: string): string;
}

type Kind<K extends LayerSpec['kind']> = Extract<LayerSpec, { kind: K }>;
type Drawn = HalfSpec | Kind<'halfFields'> | Kind<'halfConv'>;

const first = byId<HTMLInputElement>('first-unit');
const note = byId('fields-note');
const place = byId('units');
let model: Model | undefined;

/** Size of the one-channel picture that the model takes as input; undefined for other inputs. */
function imageOf({ input }: Model): [height: number, width: number] | undefined {
  if (input.length > 1) return input.length === 2 || input[2] === 1 ? [input[0]!, input[1]!] : undefined;
  const side = Math.sqrt(input[0]!);
  return Number.isInteger(side) ? [side, side] : undefined;
}

/** The first layer, if its weights are random and can be drawn as pictures. */
function drawn({ layers: [layer] }: Model): Drawn | undefined {
  if (layer?.kind === 'half' || layer?.kind === 'halfFields') return layer;
  return layer?.kind === 'halfConv' && layer.kernel.length === 2 ? layer : undefined;
}

const unitsOf = (layer: Drawn): number => (layer.kind === 'halfConv' ? layer.channels : layer.units);

/** The weights of units `from` to `to` - 1. */
async function fieldsOf(
  { seed, parameters }: Model,
  layer: Drawn,
  [height, width]: readonly [number, number],
  [from, to]: readonly [number, number],
): Promise<Fields> {
  const units = to - from;
  const size = height * width;
  const seeded = (of: number, pixels: number) => (milliseconds: string) =>
    `${count(units * pixels)} of ${count(of * pixels)} weights (${layer.weights}), regenerated from seed ` +
    `${seed} in ${milliseconds} ms. The model stores only two numbers per ` +
    `${layer.kind === 'halfConv' ? 'filter' : 'unit'}: its scale u and its bias b.`;
  if (layer.kind === 'halfFields') {
    const { fieldWeights } = await import('weightless-gpu/fields');
    const image = { height, width, channels: 1 };
    const { integers } = fieldWeights({ seed, tensor: 0, distribution: layer.weights, image }, [from, to]);
    return { width, height, weight: (unit, pixel) => integers[unit * size + pixel]!, note: seeded(layer.units, size) };
  }
  const { weights: distribution } = layer;
  const integers = (inputs: number) =>
    integerWeights({ seed, tensor: 0, distribution }, [0, inputs], [from, to], inputs);
  if (layer.kind === 'halfConv') {
    const [tall, wide] = layer.kernel as readonly [number, number];
    const weights = integers(tall * wide);
    const weight = (unit: number, pixel: number) => weights[pixel * units + unit]!;
    return { width: wide, height: tall, weight, note: seeded(layer.channels, tall * wide) };
  }
  const { rank } = layer;
  const weights = integers(rank ?? size);
  if (!rank) {
    return { width, height, weight: (unit, pixel) => weights[pixel * units + unit]!, note: seeded(layer.units, size) };
  }
  const factor = parameters.get('layers.0.factor')!;
  return {
    width,
    height,
    weight(unit, pixel) {
      let sum = 0;
      for (let r = 0; r < rank; r++) sum += factor[pixel * rank + r]! * weights[r * units + unit]!;
      return sum;
    },
    note: (milliseconds) =>
      `HalfNet: ${count(units * rank)} of ${count(layer.units * rank)} random weights (${distribution}), ` +
      `${count(rank)} per unit, regenerated from seed ${seed} in ${milliseconds} ms. They are multiplied by a trained ` +
      `factor of ${count(factor.length)} parameters, which all units share and which has learned what to look at.`,
  };
}

export function showFields(shown: Model | undefined): void {
  model = shown;
  first.value = '0';
  draw();
}

async function draw(): Promise<void> {
  const [shown, layer, image] = [model, model && drawn(model), model && imageOf(model)];
  byId('fields').hidden = !layer || !image;
  if (!shown || !layer || !image) return;
  const all = unitsOf(layer);
  const last = Math.max(0, all - SHOWN);
  first.max = String(last);
  const from = Math.min(last, Math.max(0, Math.floor(Number(first.value) || 0)));
  const to = Math.min(all, from + SHOWN);
  const started = performance.now();
  const fields = await fieldsOf(shown, layer, image, [from, to]);
  if (model !== shown) return; // another model was opened while the code for these fields was loading
  note.textContent = fields.note((performance.now() - started).toFixed(1));
  const u = shown.parameters.get('layers.0.u')!;
  const b = shown.parameters.get('layers.0.b')!;
  place.replaceChildren(
    ...fieldPictures(fields, to - from).map((picture, i) => {
      const unit = from + i;
      const canvas = make('canvas', {
        width: picture.width,
        height: picture.height,
        role: 'img',
        ariaLabel: `Random weights of unit ${unit}`,
      });
      canvas.getContext('2d')!.putImageData(picture, 0, 0);
      const caption = make('figcaption', {}, make('b', { textContent: `unit ${unit}` }));
      caption.append(`u ${signed(u[unit]!)}`, make('br'), `b ${signed(b[unit]!)}`);
      return make('figure', {}, canvas, caption);
    }),
  );
}

const signed = (value: number) => value.toFixed(2).replace('-', '\u2212');

/** Each unit's weights as a picture: one colour for negative, one for positive, the page's colour for zero. */
function fieldPictures({ width, height, weight }: Fields, units: number): ImageData[] {
  const [negative, zero, positive] = ['against', 'raised', 'accent'].map((name) => rgb(colour(name)));
  const rows = Array.from({ length: units }, (_, unit) =>
    Float64Array.from({ length: width * height }, (_, pixel) => weight(unit, pixel)),
  );
  const largest = rows.reduce((most, row) => row.reduce((a, b) => Math.max(a, Math.abs(b)), most), 0) || 1;
  return rows.map((row) => {
    const picture = new ImageData(width, height);
    for (const [i, value] of row.entries()) {
      const share = value / largest;
      const end = share < 0 ? negative! : positive!;
      const mixed = end.map((byte, c) => zero![c]! + (byte - zero![c]!) * Math.abs(share));
      picture.data.set([...mixed, 255], 4 * i);
    }
    return picture;
  });
}

first.addEventListener('input', draw);
byId('more-units').addEventListener('click', () => {
  const next = Number(first.value) + SHOWN;
  first.value = String(next > Number(first.max) ? 0 : next);
  draw();
});
onTheme(draw);
