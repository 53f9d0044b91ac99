/** A layer in words: what `weightless --layers` (architecture.ts) reads, with every option that has a default. */
import type { LayerSpec } from '../layers/layers.ts';

const times = (sizes: readonly number[]) => sizes.join('x');

/** A layer in a few words: half 512 binary relu, conv 16 3x3 relu, pool 2x2. */
export function layerName(spec: LayerSpec): string {
  switch (spec.kind) {
    case 'half':
      return `${spec.trained ? 'half' : 'random'} ${spec.units} ${spec.weights} ${spec.activation}${spec.rank ? ` rank ${spec.rank}` : ''}`;
    case 'halfFields':
      return `${spec.trained ? 'half' : 'random'}${spec.directions === 1 ? '1d' : ''} ${spec.units} ${spec.weights} ${spec.activation}`;
    case 'dense':
      return `dense ${spec.units} ${spec.activation}`;
    case 'halfConv':
      return `${spec.trained ? 'half' : 'random'}-conv ${spec.channels} ${times(spec.kernel)} ${spec.weights} ${spec.activation}`;
    case 'conv':
      return `conv ${spec.channels} ${times(spec.kernel)} ${spec.activation}`;
    case 'pool':
      return `${spec.pool === 'max' ? '' : 'average-'}pool ${times(spec.size)}`;
    case 'globalPool':
      return 'global-pool';
    case 'flatten':
      return 'flatten';
    case 'dropout':
      return `dropout ${spec.rate}`;
    case 'vera':
      return `vera ${spec.units} ${spec.weights} ${spec.activation} rank ${spec.rank}`;
    case 'residual':
      return `residual (${spec.layers.map(layerName).join(', ')})`;
  }
}
