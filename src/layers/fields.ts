/** Half layers whose units look at windows of an image or a signal: random receptive fields. */
import { type ActivationName, activationNames } from '../core/activations.ts';
import { ShapeError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { product } from '../core/shape.ts';
import { applyFrom } from '../graph/graph.ts';
import { denseOps } from '../graph/ops/dense.ts';
import { fieldOps } from '../graph/ops/fields.ts';
import { type FieldName, fieldNames, type Image, MOST_SIDE } from '../weights/fields.ts';
import { expectCount, expectOneOf, type LayerKinds, scaleAndBias } from './kind.ts';
import type { HalfFieldsSpec, Shape } from './specs.ts';

const apply = applyFrom({ ...denseOps, ...fieldOps });

export interface FieldsOptions {
  units: number;
  /**
   * Default `patch`: normal weights in a random rectangle. `binary-patch`: +-1 in the rectangle. `mexican-hat`: a hat
   * with random position and width.
   */
  weights?: FieldName;
  /** Default `relu`. */
  activation?: ActivationName;
}

function make(what: string, options: FieldsOptions, directions: 1 | 2, trained: boolean): HalfFieldsSpec {
  const { rank } = Object(options) as { rank?: unknown };
  if (rank !== undefined) {
    throw new ShapeError(`${what}: expected no rank beside receptive fields, got ${String(rank)}`);
  }
  expectOptions(what, options, { units: 'any', weights: 'any', activation: 'any' });
  const { units, weights = 'patch', activation = 'relu' } = options;
  expectCount(what, 'units', units);
  expectOneOf(what, 'weights', weights, fieldNames);
  expectOneOf(what, 'activation', activation, activationNames);
  return { kind: 'halfFields', units, weights, activation, directions, trained };
}

/** A half layer of random receptive fields over images: `units` scales and biases are trained, the fields are not. */
export const halfFields = (options: FieldsOptions): HalfFieldsSpec => make('halfFields', options, 2, true);

/** The same along signals (length) or (length, channels). */
export const halfFields1d = (options: FieldsOptions): HalfFieldsSpec => make('halfFields1d', options, 1, true);

/** Like `halfFields`, but training leaves the scales and biases at their calibrated start. */
export const randomFields = (options: FieldsOptions): HalfFieldsSpec => make('randomFields', options, 2, false);

/** Like `halfFields1d`, but training leaves the scales and biases at their calibrated start. */
export const randomFields1d = (options: FieldsOptions): HalfFieldsSpec => make('randomFields1d', options, 1, false);

/** The image that an input of this shape is. Throws `ShapeError` where it is a plain row of numbers. */
function imageOf(directions: 1 | 2, input: Shape): Image {
  const sizes = input.length - directions;
  if (sizes !== 0 && sizes !== 1) {
    const wanted =
      directions === 1
        ? 'a signal (length) or (length, channels)'
        : 'an image (height, width) or (height, width, channels)';
    throw new ShapeError(
      `expected ${wanted} to lay receptive fields over, got (${input.join(', ')}). ` +
        'Give the model an input of that shape, or put the layer in front of those that flatten it.',
    );
  }
  const [first, second] = input as [number, number];
  const image = {
    height: directions === 1 ? 1 : first,
    width: directions === 1 ? first : second,
    channels: input[directions] ?? 1,
  };
  if (Math.max(image.height, image.width) > MOST_SIDE) {
    throw new ShapeError(`expected sides of at most ${MOST_SIDE} under receptive fields, got (${input.join(', ')})`);
  }
  return image;
}

/** What src/fields.ts adds to the kinds of layers. */
export const fieldKinds = {
  halfFields: {
    make({ trained, directions, ...options }: FieldsOptions & { directions: 1 | 2; trained: boolean }) {
      expectOneOf('halfFields', 'trained', trained, [true, false]);
      expectOneOf('halfFields', 'directions', directions, [1, 2]);
      return make('halfFields', options, directions, trained);
    },
    output({ units, directions }, input) {
      imageOf(directions, input);
      return [units];
    },
    parameters: ({ units }) => scaleAndBias(units),
    calibrated: true,
    regenerated: ({ units }, input) => units * product(input),
    add({ graph, spec, index, seed, input, x, parameters: [u, b] }) {
      const image = imageOf(spec.directions, input);
      const weights = { seed, tensor: index, distribution: spec.weights, image };
      const { z } = apply(graph, 'randomFields', { x, weights, units: spec.units });
      return { z, y: apply(graph, 'epilogue', { z, u, b: b!, activation: spec.activation }).y };
    },
  },
} satisfies LayerKinds;
