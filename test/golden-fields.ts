/** Generates the golden vectors of receptive fields (SPEC.md, 4.6 and 6). */
import { type FieldName, fieldNames, fieldOf, fieldWeights, geometryWords, type Image } from '../src/weights/fields.ts';
import type { Seed } from '../src/weights/stream.ts';

const TOP = 2 ** 32 - 1;
const OWNERS: [seed: Seed, tensor: number, unit: number][] = [
  [0, 0, 0],
  [0, 0, 1],
  [1, 0, 1],
  [Number.MAX_SAFE_INTEGER, 1, 1023],
  [2n ** 64n - 1n, TOP, TOP],
];

/** One pixel, lines, colours, more channels than a word has signs, hats cut by every edge. */
const IMAGES: Image[] = [
  { height: 1, width: 1, channels: 1 },
  { height: 28, width: 28, channels: 1 },
  { height: 5, width: 13, channels: 3 },
  { height: 4, width: 3, channels: 37 },
  { height: 1, width: 100, channels: 1 },
  { height: 1, width: 17, channels: 6 },
  { height: 19, width: 1, channels: 2 },
];
/** Images for windows only, because their fields are too large to print. */
const LARGE: Image[] = [
  { height: 224, width: 320, channels: 3 },
  { height: 1, width: 65535, channels: 2 },
  { height: 65535, width: 40, channels: 1 },
];

const hex = (u32: number) => u32.toString(16).padStart(8, '0');

/** A hat's width in 64ths of a pixel, by SPEC.md. */
function hatWidth({ height, width }: Image, word: number): number {
  const side = Math.min(height, width) === 1 ? Math.max(height, width) : Math.min(height, width);
  const most = Math.max(64, Math.min(2 ** 17, 8 * side));
  return 64 + Number((BigInt(word) * BigInt(most - 63)) >> 32n);
}

function windowOf(distribution: FieldName, image: Image, [seed, tensor, unit]: (typeof OWNERS)[number]): number[] {
  const { top, left, height, width, centre } = fieldOf({ seed, tensor, distribution, image }, unit);
  if (distribution !== 'mexican-hat') return [top, left, height, width];
  return [...centre, hatWidth(image, geometryWords(seed, tensor, unit)[2])];
}

/** The text of the file. */
export function goldenFields(): string {
  const lines = [
    '# Golden vectors of receptive fields: src/weights/SPEC.md, sections 4.6 and 6. Written by: npm run golden',
    '#',
    '# geometry SEED TENSOR UNIT = G0 G1 G2 G3                                hexadecimal',
    '# window   NAME HEIGHT WIDTH CHANNELS SEED TENSOR UNIT = ...             of patches TOP LEFT TALL WIDE, of hats CY CX A',
    '# field    NAME HEIGHT WIDTH CHANNELS SEED TENSOR UNIT = BITS W0 W1 ...  bits of the scale, then integers',
  ];
  for (const owner of OWNERS) {
    lines.push(
      `geometry ${owner.join(' ')} = ${geometryWords(...owner)
        .map(hex)
        .join(' ')}`,
    );
  }
  for (const distribution of fieldNames) {
    for (const image of [...IMAGES, ...LARGE]) {
      for (const owner of OWNERS) {
        const what = `${distribution} ${image.height} ${image.width} ${image.channels} ${owner.join(' ')}`;
        lines.push(`window ${what} = ${windowOf(distribution, image, owner).join(' ')}`);
        if (LARGE.includes(image)) continue;
        const [seed, tensor, unit] = owner;
        const { integers, scales } = fieldWeights({ seed, tensor, distribution, image }, [unit, unit + 1]);
        lines.push(`field ${what} = ${hex(new Uint32Array(scales.buffer)[0]!)} ${integers.join(' ')}`);
      }
    }
  }
  return `${lines.join('\n')}\n`;
}
