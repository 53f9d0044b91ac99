/** The kinds of layers that are loaded, and the parameters of a layer. */
import { activationGain } from '../core/activations.ts';
import { ShapeError } from '../core/errors.ts';
import { integerWeights, weightScale } from '../weights/distributions.ts';
import type { Seed } from '../weights/stream.ts';
import { denseKinds } from './dense.ts';
import type { LayerKind, LayerKinds, Placed, Start } from './kind.ts';
import type { LayerSpec } from './specs.ts';

/** Every kind of layer that is loaded. src/convolution.ts and src/fields.ts add theirs. */
export const layerKinds: LayerKinds = { ...denseKinds };

/** The kind of a layer. Throws `ShapeError` where it is not loaded. */
export function kindOf(spec: LayerSpec): LayerKind<LayerSpec> {
  const kind = Object.hasOwn(layerKinds, spec.kind) && layerKinds[spec.kind];
  if (!kind) throw new ShapeError(`layers: expected a known kind of layer, got '${spec.kind}'`);
  return kind as LayerKind<LayerSpec>;
}

/** A parameter of a layer: its name in the model, its shape, its start, and whether training changes it. */
export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly start: Start;
  readonly trained: boolean;
}

/** Parameters of a layer, in the order of the model file. */
export const layerParameters = ({ spec, index, input }: Placed): ParameterSpec[] =>
  (kindOf(spec).parameters?.(spec, input) ?? []).map(([name, start, ...shape]) => ({
    name: `layers.${index}.${name}`,
    shape,
    start,
    trained: !name.startsWith('frozen') && (!('trained' in spec) || spec.trained),
  }));

/** Random matrices that start trained ones are numbered from here, apart from those of half layers. */
const START_TENSORS = 0x80000000;

/**
 * A parameter of layer `index` before training. A random one (fan-in, columns) has weights of the stream's `uniform` distribution,
 * with variance 1 / fan-in, times the square of the activation's gain.
 */
export function initialParameter(
  { spec, index }: Placed,
  { shape, start }: ParameterSpec,
  seed: Seed,
): Float32Array<ArrayBuffer> {
  const [fanIn, columns = 1] = shape as [number, number?];
  if (start !== 'random') return new Float32Array(fanIn * columns).fill(start);
  const scale = weightScale('uniform', fanIn) * ('activation' in spec ? activationGain(spec.activation) : 1);
  const weights = { seed, tensor: START_TENSORS + index, distribution: 'uniform' } as const;
  return Float32Array.from(integerWeights(weights, [0, fanIn], [0, columns]), (integer) => scale * integer);
}
