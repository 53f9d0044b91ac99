/**
 * Random receptive fields (SPEC.md, 4.6): each unit sees a window of an image, through a Mexican hat or through a
 * rectangle of random weights. Contains the CPU twin and the packed description from which kernels regenerate weights.
 */
import { expectOptions } from '../core/options.ts';
import { distributions, type ElementwiseName, weightScale } from './distributions.ts';
import { hatTables } from './hat-tables.ts';
import { philox4x32, type Seed, STREAM_VERSION, splitSeed, streamWord, unitKeys } from './stream.ts';

/** Sizes of an image, channels last; a signal is an image of height 1. */
export interface Image {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Each kind with the distribution that a patch is cut from, or that gives the signs of a hat's channels. */
const inside = {
  'mexican-hat': 'binary',
  patch: 'normal',
  'binary-patch': 'binary',
} as const satisfies Readonly<Record<string, ElementwiseName>>;

/** Name of a kind of receptive fields; stored in the model. */
export type FieldName = keyof typeof inside;

export const fieldNames = Object.keys(inside) as readonly FieldName[];

export const isField = (name: string): name is FieldName => (fieldNames as readonly string[]).includes(name);

/** A random matrix of receptive fields over an image, never stored. */
export interface FieldSpec {
  readonly seed: Seed;
  /** Number of the matrix within its model: u32. */
  readonly tensor: number;
  readonly distribution: FieldName;
  readonly image: Image;
}

/** The distribution that a patch is cut from, or that gives the signs of a hat's channels. */
export const insideOf = (name: FieldName): ElementwiseName => inside[name];

/** The window of a unit; outside it all weights are 0. */
export interface Field {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  /** For hats: the centre pixel, and 2^39 divided by the squared width in 64ths of a pixel. */
  readonly centre: readonly [y: number, x: number];
  readonly reciprocal: number;
  /** Factor of the integers, f32. */
  readonly scale: number;
}

/** The longest side of an image, because sides are packed into 16 bits. */
export const MOST_SIDE = 65535;
/** Widths of the narrowest and the widest hat, in 64ths of a pixel. */
const NARROWEST = 64;
const WIDEST = 2 ** 17;

/** Throws `RangeError` if a side or the image is too large. */
function checkImage({ height, width, channels }: Image): void {
  const whole = (value: number, most: number) => Number.isSafeInteger(value) && value >= 1 && value <= most;
  if (whole(height, MOST_SIDE) && whole(width, MOST_SIDE) && whole(channels, 2 ** 32 / (height * width))) return;
  throw new RangeError(
    `receptive fields: expected an image of sides from 1 to ${MOST_SIDE} and at most 2^32 numbers, got ${height} x ${width} x ${channels}`,
  );
}

/** floor(word * count / 2^32), exact for counts up to 2^21. */
const below = (count: number, word: number): number => Math.floor((word * count) / 2 ** 32);

/** The table of a hat over an image of this size: 256 integers by distance. */
const hatTable = ({ height, width }: Image): readonly number[] =>
  hatTables[height === 1 || width === 1 ? 'line' : 'image'];

/** The integer of a hat at a pixel. */
function hatAt(table: readonly number[], { centre, reciprocal }: Field, y: number, x: number): number {
  const distance = (y - centre[0]) ** 2 + (x - centre[1]) ** 2;
  return table[Math.floor((distance * reciprocal) / 2 ** 23)] ?? 0;
}

function hatField(image: Image, words: readonly number[]): Field {
  const { height, width, channels } = image;
  const side = height === 1 || width === 1 ? Math.max(height, width) : Math.min(height, width);
  const widest = Math.max(NARROWEST, Math.min(WIDEST, 8 * side));
  const centre = [below(height, words[0]!), below(width, words[1]!)] as const;
  const reciprocal = Math.floor(2 ** 39 / (NARROWEST + below(widest - NARROWEST + 1, words[2]!)) ** 2);
  const reach = Math.floor(Math.sqrt((2 ** 31 - 1) / reciprocal)); // the table ends there
  const [top, left] = centre.map((at) => Math.max(0, at - reach)) as [number, number];
  const window = {
    top,
    left,
    height: Math.min(height, centre[0] + reach + 1) - top,
    width: Math.min(width, centre[1] + reach + 1) - left,
    centre,
    reciprocal,
    scale: 1,
  };
  const table = hatTable(image);
  let energy = 0;
  for (let y = top; y < top + window.height; y++) {
    for (let x = left; x < left + window.width; x++) energy += hatAt(table, window, y, x) ** 2;
  }
  return { ...window, scale: Math.fround(1 / Math.sqrt(energy * channels)) };
}

function patchField({ height, width, channels }: Image, words: readonly number[], inside: ElementwiseName): Field {
  const place = (side: number, sizeWord: number, placeWord: number): [from: number, size: number] => {
    const least = Math.ceil(side / 4);
    const size = least + below(side - least + 1, sizeWord);
    return [below(side - size + 1, placeWord), size];
  };
  const [top, tall] = place(height, words[0]!, words[1]!);
  const [left, wide] = place(width, words[2]!, words[3]!);
  const scale = weightScale(inside, tall * wide * channels);
  return { top, left, height: tall, width: wide, centre: [0, 0], reciprocal: 0, scale };
}

/**
 * Third counter word of Philox for windows. The other values in use are 0 for the keys of units, and 1 and 3 for the
 * order and the selection of training rows.
 */
const WINDOWS = 4;

/** The four words that determine the window of a unit. */
export function geometryWords(seed: Seed, tensor: number, unit: number): [number, number, number, number] {
  const { low, high } = splitSeed(seed);
  return philox4x32([unit, tensor, WINDOWS, STREAM_VERSION], [low, high]);
}

/** The window of a unit. Throws `RangeError` for an image that is too large. */
export function fieldOf({ seed, tensor, distribution, image }: FieldSpec, unit: number): Field {
  checkImage(image);
  const words = geometryWords(seed, tensor, unit);
  return distribution === 'mexican-hat' ? hatField(image, words) : patchField(image, words, insideOf(distribution));
}

/** Number of words that describe a unit to a kernel. */
export const FIELD_WORDS = 8;

/**
 * The `fields: array<vec4u>` that kernels read, two vectors per unit: its key; top and height, left and width (16 bits
 * each); centre (16 bits each); reciprocal; the bits of its scale; its number. The largest windows come first, so that
 * neighbouring lanes loop about equally long. For hats, the 256 entries of their table follow as f32.
 */
export function fieldWords(spec: FieldSpec, units: number, from = 0): Uint32Array<ArrayBuffer> {
  const keys = unitKeys(spec.seed, spec.tensor, units, from);
  const fields = Array.from({ length: units }, (_, unit) => ({ unit, ...fieldOf(spec, from + unit) }));
  fields.sort((a, b) => b.height * b.width - a.height * a.width || a.unit - b.unit);
  const hats = spec.distribution === 'mexican-hat';
  const words = new Uint32Array(FIELD_WORDS * units + (hats ? 256 : 0));
  const floats = new Float32Array(words.buffer);
  fields.forEach(({ unit, top, left, height, width, centre: [y, x], reciprocal, scale }, i) => {
    const at = FIELD_WORDS * i;
    words.set([keys[2 * unit]!, keys[2 * unit + 1]!, top + 65536 * height, left + 65536 * width], at);
    words.set([y + 65536 * x, reciprocal, 0, unit], at + 4);
    floats[at + 6] = scale;
  });
  if (hats) floats.set(hatTable(spec.image), FIELD_WORDS * units);
  return words;
}

/** Receptive fields as dense arrays. */
export interface FieldWeights {
  /** (units, height, width, channels) row-major: integer weights, 0 outside each window. */
  readonly integers: Int8Array<ArrayBuffer>;
  /** (units) f32: a weight is its integer times this scale. */
  readonly scales: Float32Array<ArrayBuffer>;
}

/** The weights of units `from` to `to` - 1. Every kernel must match them bit for bit. */
export function fieldWeights(spec: FieldSpec, [from, to]: readonly [from: number, to: number]): FieldWeights {
  const what = 'fieldWeights';
  expectOptions(what, spec, { seed: 'any', tensor: 'any', distribution: fieldNames, image: 'object' }, [
    'distribution',
    'image',
  ]);
  const { distribution, image } = spec;
  expectOptions(`${what}: image`, image, { height: 'number', width: 'number', channels: 'number' });
  checkImage(image);
  const keys = unitKeys(spec.seed, spec.tensor, to - from, from);
  const { decode, weightsPerWord } = distributions[insideOf(distribution)];
  const table = hatTable(image);
  const size = image.height * image.width * image.channels;
  const integers = new Int8Array((to - from) * size);
  const scales = new Float32Array(to - from);
  for (let i = 0; i < to - from; i++) {
    const field = fieldOf(spec, from + i);
    const inside = (k: number) => decode(streamWord(keys[2 * i]!, keys[2 * i + 1]!, Math.floor(k / weightsPerWord)), k);
    scales[i] = field.scale;
    for (let y = field.top; y < field.top + field.height; y++) {
      for (let x = field.left; x < field.left + field.width; x++) {
        const hat = distribution === 'mexican-hat' ? hatAt(table, field, y, x) : 0;
        for (let c = 0; c < image.channels; c++) {
          const k = (y * image.width + x) * image.channels + c;
          integers[i * size + k] = distribution === 'mexican-hat' ? inside(c) * hat : inside(k);
        }
      }
    }
  }
  return { integers, scales };
}
