/**
 * What one prediction of a loaded model may cost. Outputs, inputs and windows need no stored data, so a model file of 200 bytes
 * can ask for hours and gigabytes: reading refuses it before anything is allocated.
 */
import { ModelFileError } from '../core/errors.ts';
import { product } from '../core/shape.ts';
import type { Cost, Placed } from '../layers/kind.ts';
import { kindOf, layerParameters } from '../layers/kinds.ts';

/** For one row of inputs. Each has a default; a caller raises it for a model from a source that is trusted. */
export interface ModelLimits {
  /**
   * Numbers that lie in memory at once at most: inputs and outputs of all layers, images with their border, filters. Default
   * 2^24, which are 64 MiB.
   */
  readonly numbers?: number;
  /** Multiply-adds, and numbers that pooling looks at. Default 2^30: about a second on one CPU thread. */
  readonly multiplyAdds?: number;
}

const defaults: Required<ModelLimits> = { numbers: 2 ** 24, multiplyAdds: 2 ** 30 };

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

/** Throws `ModelFileError` where one prediction costs more than the limits allow. */
export function expectWithin(input: readonly number[], layers: readonly Placed[], limits: ModelLimits = {}): void {
  const costs = layers.map(costOf);
  const sums: Cost = {
    numbers: costs.reduce((sum, { numbers }) => sum + numbers, product(input)),
    multiplyAdds: costs.reduce((sum, { multiplyAdds }) => sum + multiplyAdds, 0),
  };
  for (const name of ['numbers', 'multiplyAdds'] as const) {
    const most = limits[name] ?? defaults[name];
    if (sums[name] <= most) continue;
    throw new ModelFileError(
      `model file: expected a prediction of at most ${most} ${name === 'numbers' ? 'numbers in memory' : 'multiply-adds'}, ` +
        `its layers take ${sums[name]}. If you trust the file, raise the limit: { limits: { ${name}: ${sums[name]} } }.`,
    );
  }
}
