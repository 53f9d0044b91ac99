/** Pictures of random receptive fields: what one unit weighs where. */
import { encode } from 'fast-png';
import { type DistributionName, distributionNames, integerWeights } from '../../src/weights/distributions.ts';
import { type FieldName, fieldNames, fieldWeights, isField } from '../../src/weights/fields.ts';
import type { Section } from './sections.ts';

/** Units side by side, and picture elements of one weight. */
const UNITS = 10;
const ZOOM = 3;
const GAP = 6;
const NEGATIVE = [42, 120, 214];
const POSITIVE = [235, 104, 52];

/** The first units over images of height x width: blue below zero, orange above, transparent at zero. */
export function receptiveFields(
  distribution: DistributionName | FieldName,
  [height, width]: readonly [number, number],
  seed = 0,
): Uint8Array {
  const size = height * width;
  if (isField(distribution)) {
    const image = { height, width, channels: 1 };
    const { integers } = fieldWeights({ seed, tensor: 0, distribution, image }, [0, UNITS]);
    const weights = integers.map((_, i) => integers[(i % UNITS) * size + Math.floor(i / UNITS)]!);
    return fieldsPicture(weights, [height, width]);
  }
  const weights = integerWeights({ seed, tensor: 0, distribution }, [0, size], [0, UNITS]);
  return fieldsPicture(weights, [height, width]);
}

/** Of weights (inputs, units) row-major. */
export function fieldsPicture(weights: ArrayLike<number>, [height, width]: readonly [number, number]): Uint8Array {
  const units = weights.length / (height * width);
  const step = ZOOM * width + GAP;
  const picture = { width: units * step - GAP, height: ZOOM * height };
  const data = new Uint8Array(4 * picture.width * picture.height);
  for (let unit = 0; unit < units; unit++) {
    const own = Array.from({ length: height * width }, (_, k) => weights[k * units + unit]!);
    const largest = Math.max(...own.map(Math.abs)) || 1;
    own.forEach((weight, k) => {
      const colour = [...(weight < 0 ? NEGATIVE : POSITIVE), Math.round((255 * Math.abs(weight)) / largest)];
      const [y, x] = [Math.floor(k / width) * ZOOM, unit * step + (k % width) * ZOOM];
      for (let i = 0; i < ZOOM * ZOOM; i++) {
        data.set(colour, 4 * ((y + Math.floor(i / ZOOM)) * picture.width + x + (i % ZOOM)));
      }
    });
  }
  return encode({ ...picture, data, channels: 4 });
}

/** Of the randomisations by these names. */
export function receptiveFieldsSection(names: readonly string[]): Section[] {
  const known = [...distributionNames, ...fieldNames].filter((name) => names.includes(name));
  if (!known.length) return [];
  return [
    {
      title: 'Random receptive fields',
      text: `What the first ${UNITS} units weigh of an image of 28 x 28: blue below zero, orange above.`,
      pictures: known.map((name) => ({ caption: name, png: receptiveFields(name, [28, 28]) })),
    },
  ];
}
