/** `dataSet.fromPictures`: pictures as a page has them, as a data set. */
import { BYTE_SCALE } from '../core/arrays.ts';
import { DataError, OptionError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import { classNamesOf, type DataSet, dataSet } from '../data/dataset.ts';
import { limits } from '../data/limits.ts';
import { type ImageInputs, type Preparation, pictureFits } from '../model/preparation.ts';
import { isPicture, type Picture, pictureRows } from '../predict/raw-pictures.ts';

export interface LabelledPicture {
  /** A canvas, an image or video element, an ImageBitmap, a picture file, or pixels as { width, height, data }. */
  readonly picture: object;
  /** The name of its class. */
  readonly label: string;
}

export interface PicturesOptions {
  /** Size of the model's input in pixels; default 28 each. Pictures are resampled to it. */
  width?: number;
  height?: number;
  /** 1, the default, makes them grey; 3 keeps red, green and blue. */
  channels?: 1 | 3;
  /** 'stretch', the default, changes the aspect ratio; 'letterbox' adds bars. */
  fit?: ImageInputs['fit'];
  /** Turns dark on light into light on dark; 'auto', the default: where the border of a picture is light. */
  invert?: ImageInputs['invert'];
  /** How the training pictures were prepared: for pictures to validate with. It replaces all other options. */
  preparation?: Preparation;
}

const NAME = 'dataSet.fromPictures';

function expectSize(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new OptionError(`${NAME}: expected ${name} to be an integer of 1 or more, got ${value}`);
}

function inputsOf(options: PicturesOptions): ImageInputs {
  const { width = 28, height = 28, channels = 1, fit = 'stretch', invert = 'auto' } = options;
  if (channels !== 1 && channels !== 3)
    throw new OptionError(`${NAME}: expected channels to be 1 or 3, got ${channels}`);
  if (!pictureFits.includes(fit)) {
    throw new OptionError(`${NAME}: expected fit to be one of ${pictureFits.join(', ')}; got ${quoted(fit)}`);
  }
  if (typeof invert !== 'boolean' && invert !== 'auto') {
    throw new OptionError(`${NAME}: expected invert to be true, false or 'auto'; got ${quoted(invert)}`);
  }
  const size = { width: expectSize('width', width), height: expectSize('height', height) };
  if (width * height > limits.pixels) {
    throw new OptionError(`${NAME}: expected a size of at most ${limits.pixels} pixels, got ${width} x ${height}`);
  }
  return { kind: 'image', ...size, channels, scale: BYTE_SCALE, shift: 0, fit, invert };
}

/** What the pictures are prepared by, and the classes: those of a preparation, or the labels as they first come. */
function preparationFor(labels: readonly string[], options: PicturesOptions) {
  const { preparation } = options;
  if (!preparation) return { inputs: inputsOf(options), classes: [...new Set(labels)] };
  const { inputs } = preparation;
  const classes = classNamesOf({ preparation });
  if (inputs.kind === 'image' && classes) return { inputs, classes };
  throw new DataError(
    `${NAME}: expected the preparation of pictures with classes, got another one. Pass data.preparation.`,
  );
}

/**
 * Pictures of any size with the names of their classes. The result holds its preparation, so a model that is trained on it
 * classifies pictures. Throws `OptionError`, and `DataError` that names the first bad picture.
 */
export async function fromPictures(
  examples: Iterable<LabelledPicture>,
  options: PicturesOptions = {},
): Promise<DataSet> {
  expectOptions(NAME, options, {
    width: 'number',
    height: 'number',
    channels: 'number',
    fit: 'string',
    invert: 'any',
    preparation: 'object',
  });
  if (typeof examples?.[Symbol.iterator] !== 'function' || typeof examples === 'string') {
    throw new DataError(`${NAME}: expected a list of { picture, label }, got ${quoted(examples)}`);
  }
  const all = [...examples];
  for (const [i, example] of all.entries()) {
    if (!isPicture(example?.picture)) {
      throw new DataError(
        `${NAME}: expected a picture in example ${i + 1}: a canvas, an image, a picture file, or { width, height, data }; ` +
          `got ${quoted(example?.picture)}`,
      );
    }
    if (typeof example.label === 'string' && example.label) continue;
    throw new DataError(
      `${NAME}: expected the name of a class as label of example ${i + 1}, got ${quoted(example.label)}`,
    );
  }
  if (!all.length) throw new DataError(`${NAME}: expected at least one example, got none`);
  const names = all.map(({ label }) => label);
  const { inputs, classes } = preparationFor(names, options);
  const labels = names.map((name, i) => {
    const label = classes.indexOf(name);
    if (label >= 0) return label;
    throw new DataError(
      `${NAME}: expected a class of the training pictures (${classes.slice(0, 6).join(', ')}) in example ${i + 1}; got ${quoted(name)}`,
    );
  });
  const numbers = all.length * inputs.height * inputs.width * inputs.channels;
  if (numbers > limits.inputs) {
    throw new DataError(
      `${NAME}: expected examples of at most ${limits.inputs} numbers in all, got ${numbers}. Use fewer or a smaller size.`,
    );
  }
  const features = await pictureRows(
    NAME,
    all.map(({ picture }) => picture as Picture),
    inputs,
  );
  const { height, width, channels } = inputs;
  return dataSet({
    features,
    shape: channels === 1 ? [height, width] : [height, width, channels],
    labels,
    classes: classes.length,
    preparation: { inputs, outputs: { task: 'classification', classes } },
  });
}
