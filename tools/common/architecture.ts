/**
 * Networks as text, for `weightless train --layers` (src/model/layer-name.ts writes the same notation):
 *
 *     half-conv 32 3x3 same binary, pool 2, residual (conv 32 3x3 same), dropout 0.25, half 512 rank 16 gelu, dense 10
 *
 * Commas separate layers. A layer is its name, its numbers, then words in any order.
 */

import {
  averagePool1d,
  averagePool2d,
  conv1d,
  conv2d,
  dropout,
  flatten,
  gated,
  globalAveragePool,
  halfConv1d,
  halfConv2d,
  maxPool1d,
  maxPool2d,
  randomConv1d,
  randomConv2d,
  residual,
  vera,
} from '../../src/convolution.ts';
import { activationNames } from '../../src/core/activations.ts';
import { ShapeError } from '../../src/core/errors.ts';
import { signalPools } from '../../src/core/signal-pools.ts';
import { halfFields, halfFields1d, randomFields, randomFields1d } from '../../src/fields.ts';
import { dense, halfDense, randomDense } from '../../src/layers/dense.ts';
import { type RandomKernelsOptions, randomKernels1d } from '../../src/layers/signals.ts';
import type { LayerKindName, LayerSpec } from '../../src/layers/specs.ts';
import { type DistributionName, distributionNames, elementwiseNames } from '../../src/weights/distributions.ts';
import { type FieldName, fieldNames, isField } from '../../src/weights/fields.ts';

/** Text that describes no network. The message points at the place. */
export class ArchitectureError extends ShapeError {}

interface Token {
  readonly text: string;
  readonly at: number;
}

/** Reads tokens from the left. */
class Reader {
  readonly #text: string;
  readonly #tokens: Token[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = [...text.matchAll(/[(),]|[^\s(),]+/g)].map(({ 0: token, index }) => ({ text: token, at: index }));
  }

  get here(): Token {
    return this.#tokens[this.#next] ?? { text: '', at: this.#text.length };
  }

  take(): Token {
    const token = this.here;
    this.#next++;
    return token;
  }

  /** Takes the token if it is this one. */
  takes(text: string): boolean {
    if (this.here.text !== text) return false;
    this.#next++;
    return true;
  }

  fail(expected: string, { text, at } = this.here): never {
    const got = text ? `'${text}'` : 'the end';
    throw new ArchitectureError(`expected ${expected}, got ${got}:\n  ${this.#text}\n  ${' '.repeat(at)}^`);
  }

  number(what: string): number {
    const { text } = this.here;
    if (!/^\d+(\.\d+)?$/.test(text)) this.fail(what);
    return Number(this.take().text);
  }

  /** 3 or 3x5: one number for all directions, or one for each. */
  sizes(what: string): number | [number, number] {
    const [, first, second] = /^(\d+)(?:x(\d+))?$/.exec(this.here.text) ?? this.fail(what);
    this.take();
    return second === undefined ? Number(first) : [Number(first), Number(second)];
  }
}

type Options = Record<string, unknown>;

/** The words after a layer's numbers, up to a comma or the end. A size follows each word of `numeric`. */
function words(
  reader: Reader,
  names: Readonly<Record<string, readonly string[]>>,
  numeric: readonly string[],
): Options {
  const options: Options = {};
  while (!['', ',', ')'].includes(reader.here.text)) {
    const { text } = reader.here;
    const named = Object.keys(names).find((option) => names[option]!.includes(text));
    const option = named ?? (text === 'same' && numeric.includes('padding') ? 'padding' : text);
    if (!named && !numeric.includes(option)) {
      const known = [...numeric.map((word) => `${word} N`), ...Object.values(names).flat()];
      reader.fail(`a comma, or one of ${known.join(', ')}${numeric.includes('padding') ? ', same' : ''}`);
    }
    if (option in options) reader.fail(`${option} once`);
    reader.take();
    options[option] = named || text === 'same' ? text : reader.sizes(`a size after '${text}', such as 2`);
  }
  return options;
}

const activations = { activation: activationNames };
const random = { ...activations, weights: distributionNames };
/** Names of random weights for the units of half and random layers. */
export const weightNames: readonly (DistributionName | FieldName)[] = [...distributionNames, ...fieldNames];
const anyUnits = { ...activations, weights: weightNames };
const fields = { ...activations, weights: fieldNames };
const moving = ['stride', 'padding', 'dilation'];

type Rule = (reader: Reader) => LayerSpec;
// The layers themselves check the options.
const units =
  (
    make: (options: never) => LayerSpec,
    names: Readonly<Record<string, readonly string[]>>,
    numeric: string[] = [],
  ): Rule =>
  (reader) => {
    const units = reader.number('a number of units');
    return make({ units, ...words(reader, names, numeric) } as never);
  };
const filters =
  (make: (options: never) => LayerSpec, names: Readonly<Record<string, readonly string[]>>): Rule =>
  (reader) => {
    const channels = reader.number('a number of filters');
    const kernel = reader.sizes('the size of a filter, such as 3x3');
    return make({ channels, kernel, ...words(reader, names, moving) } as never);
  };
const pool =
  (make: (options: never) => LayerSpec): Rule =>
  (reader) => {
    const size = reader.sizes('the size of a window, such as 2');
    return make({ size, ...words(reader, {}, ['stride']) } as never);
  };

const block =
  (make: (layers: LayerSpec[]) => LayerSpec): Rule =>
  (reader) => {
    if (!reader.takes('(')) reader.fail("'(' and the layers of the block");
    const layers = readLayers(reader);
    if (!reader.takes(')')) reader.fail("a comma or ')'");
    return make(layers);
  };

/** A dense layer, or one of receptive fields where its weights ask for those. */
const either =
  <S extends LayerSpec, F extends LayerSpec>(
    dense: (options: never) => S,
    fields: (options: never) => F,
  ): ((options: never) => S | F) =>
  (options: { weights?: string }) =>
    (isField(options.weights ?? '') ? fields : dense)(options as never);

/** A half layer, or a random one, of any weights. */
export const halfLayer = either(halfDense, halfFields);
export const randomLayer = either(randomDense, randomFields);

/** What follows each name of a kind of layer. */
const notation: { readonly [K in LayerKindName]: Readonly<Record<string, Rule>> } = {
  half: { half: units(halfLayer, anyUnits, ['rank']), random: units(randomLayer, anyUnits) },
  dense: { dense: units(dense, activations) },
  halfFields: { half1d: units(halfFields1d, fields), random1d: units(randomFields1d, fields) },
  randomKernels: {
    'random-kernels1d'(reader) {
      const units = reader.number('a number of kernels');
      const pooled = Object.fromEntries(signalPools.map((pool) => [pool, [pool]]));
      const options = words(reader, { weights: elementwiseNames, ...pooled }, ['taps']);
      const pools = signalPools.filter((pool) => pool in options);
      const { taps, weights } = options as Omit<RandomKernelsOptions, 'units'>;
      const given = { units, ...(taps && { taps }), ...(weights && { weights }), ...(pools.length && { pools }) };
      return randomKernels1d(given);
    },
  },
  halfConv: {
    'half-conv': filters(halfConv2d, random),
    'random-conv': filters(randomConv2d, random),
    'half-conv1d': filters(halfConv1d, random),
    'random-conv1d': filters(randomConv1d, random),
  },
  conv: { conv: filters(conv2d, activations), conv1d: filters(conv1d, activations) },
  pool: {
    pool: pool(maxPool2d),
    'average-pool': pool(averagePool2d),
    pool1d: pool(maxPool1d),
    'average-pool1d': pool(averagePool1d),
  },
  globalPool: { 'global-pool': globalAveragePool },
  flatten: { flatten },
  dropout: { dropout: (reader) => dropout({ rate: reader.number('a rate, such as 0.25') }) },
  vera: { vera: units(vera, { ...random, base: ['frozen', 'trained'] }, ['rank']) },
  residual: { residual: block(residual) },
  gated: { gated: block(gated) },
};

const rules: Readonly<Record<string, Rule>> = Object.assign({}, ...Object.values(notation));

/** Names of the layers, for help. */
export const layerNames: readonly string[] = Object.keys(rules);

function readLayers(reader: Reader): LayerSpec[] {
  const layers: LayerSpec[] = [];
  do {
    const name = reader.here;
    if (!Object.hasOwn(rules, name.text)) reader.fail(`a layer (${layerNames.join(', ')})`);
    reader.take();
    try {
      layers.push(rules[name.text]!(reader));
    } catch (error) {
      if (error instanceof ArchitectureError || !(error instanceof ShapeError)) throw error;
      reader.fail(error.message.replace(/^\w+: expected /, '').replace(/[,;] got .*/s, ''), name);
    }
  } while (reader.takes(','));
  return layers;
}

/** The layers that the text describes. Throws `ArchitectureError` that shows where it goes wrong. */
export function parseLayers(text: string): LayerSpec[] {
  const reader = new Reader(text);
  const layers = readLayers(reader);
  if (reader.here.text) reader.fail('a comma');
  return layers;
}
