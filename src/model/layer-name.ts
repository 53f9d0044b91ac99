/** A layer in the notation of `weightless train --layers` (tools/common/architecture.ts), which reads it back as the same layer. */
import type { Filters, LayerKindName, LayerSpec, Sizes, SpecOf } from '../layers/specs.ts';

const times = (sizes: Sizes) => sizes.join('x');
const half = ({ trained }: { trained: boolean }) => (trained ? 'half' : 'random');
/** Layers along signals have names of their own. */
const along = (sizes: Sizes) => (sizes.length === 1 ? '1d' : '');
/** An option, where its sizes are not the default. */
const option = (name: string, sizes: Sizes, byDefault: Sizes | number) =>
  sizes.every((size, i) => size === (typeof byDefault === 'number' ? byDefault : byDefault[i]))
    ? ''
    : ` ${name} ${times(sizes)}`;
const moving = ({ stride, padding, dilation }: Filters) =>
  option('stride', stride, 1) + option('padding', padding, 0) + option('dilation', dilation, 1);

const block = (name: string, { layers }: { layers: readonly LayerSpec[] }) =>
  `${name} (${layers.map(layerName).join(', ')})`;

const names: { readonly [K in LayerKindName]: (spec: SpecOf<K>) => string } = {
  half: (spec) =>
    `${half(spec)} ${spec.units} ${spec.weights} ${spec.activation}${spec.rank ? ` rank ${spec.rank}` : ''}`,
  dense: ({ units, activation }) => `dense ${units} ${activation}`,
  halfFields: (spec) =>
    `${half(spec)}${spec.directions === 1 ? '1d' : ''} ${spec.units} ${spec.weights} ${spec.activation}`,
  randomKernels: ({ units, taps, weights, pools }) =>
    `random-kernels1d ${units} ${weights} ${pools.join(' ')}${taps === 9 ? '' : ` taps ${taps}`}`,
  halfConv: (spec) =>
    `${half(spec)}-conv${along(spec.kernel)} ${spec.channels} ${times(spec.kernel)} ${spec.weights} ${spec.activation}${moving(spec)}`,
  conv: (spec) => `conv${along(spec.kernel)} ${spec.channels} ${times(spec.kernel)} ${spec.activation}${moving(spec)}`,
  pool: ({ pool, size, stride }) =>
    `${pool === 'max' ? '' : 'average-'}pool${along(size)} ${times(size)}${option('stride', stride, size)}`,
  globalPool: () => 'global-pool',
  flatten: () => 'flatten',
  dropout: ({ rate }) => `dropout ${rate}`,
  vera: ({ units, weights, activation, rank, base }) =>
    `vera ${units} ${weights} ${activation} rank ${rank}${base === 'trained' ? ' trained' : ''}`,
  residual: (spec) => block('residual', spec),
  gated: (spec) => block('gated', spec),
};

/** A layer in a few words: half 512 binary relu, conv 16 3x3 relu, pool 2x2. */
export const layerName = (spec: LayerSpec): string => (names[spec.kind] as (spec: LayerSpec) => string)(spec);
