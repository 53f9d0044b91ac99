/**
 * Limits on model files: on what they hold, and on what one prediction of a loaded model may cost. Outputs, inputs and
 * windows need no stored data, so a file of 200 bytes can ask for hours and gigabytes. Reading refuses it before
 * anything is allocated. docs/trust.md lists all limits.
 */
import { ModelFileError } from '../core/errors.ts';
import { expectOptions } from '../core/options.ts';
import { product } from '../core/shape.ts';
import type { Cost, Placed } from '../layers/kind.ts';
import { kindOf, layerParameters } from '../layers/kinds.ts';

/** Limits on a file, whatever its layers cost. */
export const fileLimits = {
  /** Bytes of a model file, or of a checkpoint. */
  bytes: 2 ** 32,
  /** Bytes of the header of a model file: a table may have many categories. */
  headerBytes: 2 ** 24,
  /** Bytes of the header of a checkpoint, whose note holds the history of the training. */
  checkpointHeaderBytes: 2 ** 24,
  /** Commas, colons and opening brackets of a JSON text: what its values cost once they are parsed. */
  jsonMarks: 2 ** 18,
  /** The same for texts that grow with the data: columns of a table, epochs of a training. */
  dataMarks: 2 ** 20,
  /** Layers of a model, those inside others included. */
  layers: 2 ** 12,
  /** Stored numbers of all layers. */
  storedNumbers: 2 ** 30,
  /** Sizes of the shape of an input. */
  inputSizes: 8,
  /** Layers inside one another. */
  depth: 8,
} as const;

/** For one row of inputs. Raise a limit for a large model whose source you trust. */
export interface ModelLimits {
  /**
   * Numbers in memory at once: inputs and outputs of all layers, images with their border, filters. Default 2^24, which
   * take 64 MiB.
   */
  readonly numbers?: number;
  /** Multiply-adds, and numbers that pooling reads. Default 2^30: about a second on one CPU thread. */
  readonly multiplyAdds?: number;
}

export const predictionLimits: Required<ModelLimits> = { numbers: 2 ** 24, multiplyAdds: 2 ** 30 };

/** A layer that multiplies each input once with each of its weights, unless its kind says otherwise. */
function costOf(placed: Placed): Cost {
  const { spec, input, output } = placed;
  const kind = kindOf(spec);
  const own = kind.cost?.(spec, input);
  const stored = layerParameters(placed).reduce((sum, { shape }) => sum + product(shape), 0);
  return {
    numbers: product(output) + (own?.numbers ?? 0),
    multiplyAdds: own?.multiplyAdds ?? stored + (kind.regenerated?.(spec, input) ?? 0),
  };
}

/** Throws `OptionError`. */
export const expectLimits = (limits: ModelLimits): void =>
  expectOptions('limits', limits, { numbers: 'number', multiplyAdds: 'number' });

/** Throws `ModelFileError` where one prediction costs more than the limits allow. */
export function expectWithin(input: readonly number[], layers: readonly Placed[], limits: ModelLimits = {}): void {
  const costs = layers.map(costOf);
  const sums: Cost = {
    numbers: costs.reduce((sum, { numbers }) => sum + numbers, product(input)),
    multiplyAdds: costs.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0),
  };
  for (const name of ['numbers', 'multiplyAdds'] as const) {
    const most = limits[name] ?? predictionLimits[name];
    if (sums[name] <= most) continue;
    throw new ModelFileError(
      `model file: expected a prediction of at most ${most} ${name === 'numbers' ? 'numbers in memory' : 'multiply-adds'}, ` +
        `its layers take ${sums[name]}. If you trust the file, raise the limit: { limits: { ${name}: ${sums[name]} } }.`,
    );
  }
}
