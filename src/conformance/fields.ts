/** Receptive fields: their golden vectors pixel by pixel, and sums over integer inputs. Exact. */
import { randomFields } from '../../kernels/random_fields.ts';
import { randomFieldsTransposed } from '../../kernels/random_fields_transposed.ts';
import { imageSize } from '../core/window.ts';
import { FIELD_WORDS, fieldNames, fieldWeights, fieldWords, type Image } from '../weights/fields.ts';
import golden from '../weights/golden/fields-v1.txt';
import { type Case, type Covered, type Group, integers } from './case.ts';
import { readGoldenFields } from './golden-fields.ts';

const [rows, units, seed, tensor] = [5, 70, Number.MAX_SAFE_INTEGER, 1] as const;

/** An image whose lines end within a word, one with more channels than a word has signs, a signal. */
const images: readonly Image[] = [
  { height: 13, width: 11, channels: 3 },
  { height: 4, width: 5, channels: 37 },
  { height: 1, width: 90, channels: 2 },
];

/** (size, size), 1 where row and column are the same: picks single weights. */
export const ones = (size: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0));

/** The descriptions of units with scale 1, so that results are sums of integers. */
function unscaledWords(words: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const floats = new Float32Array(words.buffer);
  for (let i = 0; i < units; i++) floats[FIELD_WORDS * i + 6] = 1;
  return words;
}

/** (m, n) sums of a (m, inner) times b; `at` returns element (l, j) of b. */
const sums = (m: number, inner: number, n: number, a: ArrayLike<number>, at: (l: number, j: number) => number) =>
  Float32Array.from({ length: m * n }, (_, i) => {
    const [row, j] = [Math.floor(i / n), i % n];
    let sum = 0;
    for (let l = 0; l < inner; l++) sum += a[row * inner + l]! * at(l, j);
    return sum;
  });

/** The weights of the specification, scales included, on this device: f32, each rounded once. */
export const goldenCases = (): Case[] =>
  readGoldenFields(golden).flatMap((vector): Case[] => {
    if (vector.kind !== 'field') return [];
    const { spec, unit, bits, weights } = vector;
    const { distribution, image } = spec;
    const k = imageSize(image);
    const scale = new Float32Array(Uint32Array.of(bits).buffer)[0]!;
    return [
      {
        what: `${distribution} ${image.height}x${image.width}x${image.channels} unit ${unit} seed ${spec.seed}`,
        inputs: { x: ones(k), fields: fieldWords(spec, 1, unit) },
        outputs: { y: { want: Float32Array.from(weights, (w) => scale * w + 0) } },
        dispatch: ({ x, fields, y }) =>
          randomFields({ m: k, n: 1, image, weights: distribution, x: x!, fields: fields!, y: y! }),
      },
    ];
  });

const sumCases = (): Case[] =>
  fieldNames.flatMap((distribution) =>
    images.flatMap((image, i): Case[] => {
      const spec = { seed, tensor, distribution, image };
      const k = imageSize(image);
      const w = fieldWeights(spec, [0, units]).integers;
      const x = integers(rows * k, i, 40);
      const dz = integers(rows * units, i + 10, 40);
      const fields = unscaledWords(fieldWords(spec, units));
      const args = { m: rows, n: units, image, weights: distribution };
      const what = `${distribution} ${image.height}x${image.width}x${image.channels}`;
      return [
        {
          what,
          inputs: { x, fields },
          outputs: { y: { want: sums(rows, k, units, x, (l, n) => w[n * k + l]!) } },
          dispatch: ({ x, fields, y }) => randomFields({ ...args, x: x!, fields: fields!, y: y! }),
        },
        {
          what: `${what}, transposed`,
          inputs: { dz, fields },
          outputs: { dx: { want: sums(rows, units, k, dz, (n, l) => w[n * k + l]!) } },
          dispatch: ({ dz, fields, dx }) => randomFieldsTransposed({ ...args, dz: dz!, fields: fields!, dx: dx! }),
        },
      ];
    }),
  );

const fieldSums: Group = { name: 'integer sums, receptive fields', cases: sumCases };

export const fieldGroups: readonly Group[] = [
  { name: 'receptive fields, unit by unit', cases: goldenCases },
  fieldSums,
];

export const fieldCases: Covered<'field' | 'fieldGradient'> = {
  randomFields: fieldGroups,
  randomFieldsTransposed: [fieldSums],
};
