/** The features that a model's frozen layers make of a data set, in tiles of rows. */
import type { Forward } from '../backend/backend.ts';
import { OptionError } from '../core/errors.ts';
import { type DataSet, featuresAsFloats } from '../data/dataset.ts';
import { picked } from '../data/split.ts';
import type { DenseSpec } from '../layers/specs.ts';
import { inputSize, type Model, modelParameters, outputSize, placeLayers } from '../model/model.ts';

/** A model taken apart: its frozen layers, and the linear layer on top of them. */
export interface Parts {
  /** The model without its last layer; undefined where that is its only one, whose features are the inputs. */
  readonly frozen: Model | undefined;
  /** Features of a row. */
  readonly columns: number;
  readonly outputs: number;
  /** Names of the parameters of the last layer. */
  readonly weight: string;
  readonly bias: string;
}

/** Takes a model apart. Throws `OptionError` unless training changes only a linear output. `what` opens the message. */
export function partsOf(what: string, model: Model): Parts {
  const last = model.layers.at(-1)!;
  const { index } = placeLayers(model).find(({ spec }) => spec === last)!;
  if (last.kind !== 'dense' || (last as DenseSpec).activation !== 'identity') {
    throw new OptionError(
      `${what}: expected a model that ends in a linear layer, such as dense({ units: 10 }); got '${last.kind}'` +
        `${last.kind === 'dense' ? ` with activation '${(last as DenseSpec).activation}'` : ''}. Add one.`,
    );
  }
  const own = new Set([`layers.${index}.weight`, `layers.${index}.b`]);
  const trained = modelParameters(model).find((spec) => spec.trained && !own.has(spec.name));
  if (trained) {
    throw new OptionError(
      `${what}: expected a model of which only the last layer is trained; '${trained.name}' is trained, too. ` +
        'Use frozen layers (randomDense, randomFields, randomConv2d), or train it by gradient descent, without a solver.',
    );
  }
  const layers = model.layers.slice(0, -1);
  const frozen = layers.length ? { ...model, layers, parameters: withoutKeys(model.parameters, own) } : undefined;
  const columns = frozen ? outputSize(frozen) : inputSize(model);
  return { frozen, columns, outputs: outputSize(model), weight: `layers.${index}.weight`, bias: `layers.${index}.b` };
}

const withoutKeys = <V>(map: ReadonlyMap<string, V>, keys: ReadonlySet<string>): Map<string, V> =>
  new Map([...map].filter(([key]) => !keys.has(key)));

export interface Tile {
  /** Row numbers in the data set. */
  readonly rows: Uint32Array;
  /** (rows, columns) f32. */
  readonly features: Float32Array<ArrayBuffer>;
}

export interface TilesOptions {
  /** Bytes in which features may be cached; beyond it they are computed anew in each pass. */
  readonly budget: number;
  readonly signal?: AbortSignal;
  /** Reports how many rows were computed. A promise that it returns is waited for. */
  readonly onRows?: (rows: number) => unknown;
}

/** Numbers and rows of a tile, at most. */
const TILE_NUMBERS = 2 ** 23;
const TILE_ROWS = 2048;

/** Tiles of the rows that `order` lists. Their memory is freed with the object; `forward` belongs to the caller. */
export class FeatureTiles {
  readonly rows: number;
  readonly #forward: Forward | undefined;
  readonly #data: DataSet;
  readonly #tiles: readonly Uint32Array[];
  readonly #options: TilesOptions;
  readonly #cache = new Map<number, Float32Array<ArrayBuffer>>();
  #free: number;

  constructor(forward: Forward | undefined, columns: number, data: DataSet, order: Uint32Array, options: TilesOptions) {
    this.rows = order.length;
    this.#forward = forward;
    this.#data = data;
    this.#options = options;
    this.#free = options.budget;
    const most = Math.max(1, Math.min(TILE_ROWS, Math.floor(TILE_NUMBERS / columns)));
    this.#tiles = Array.from({ length: Math.ceil(order.length / most) }, (_, i) =>
      order.subarray(i * most, (i + 1) * most),
    );
  }

  /** The tiles one after another, up to the one with which `rows` rows are reached; default all. */
  async *tiles(rows = this.rows): AsyncGenerator<Tile, void, void> {
    let done = 0;
    for (const [i, tile] of this.#tiles.entries()) {
      if (done >= rows) return;
      this.#options.signal?.throwIfAborted();
      yield { rows: tile, features: await this.#features(i, tile) };
      done += tile.length;
    }
  }

  async #features(i: number, rows: Uint32Array): Promise<Float32Array<ArrayBuffer>> {
    const cached = this.#cache.get(i);
    if (cached) return cached;
    const x = featuresAsFloats(picked(this.#data, rows));
    const features = this.#forward ? await this.#forward.compute(x) : x;
    if (features.byteLength <= this.#free) {
      this.#free -= features.byteLength;
      this.#cache.set(i, features);
    }
    await this.#options.onRows?.(rows.length);
    return features;
  }
}
