import { describe, expect, it } from 'vitest';
import {
  averagePool1d,
  averagePool2d,
  conv1d,
  conv2d,
  dropout,
  flatten,
  gated,
  globalAveragePool,
  halfConv2d,
  maxPool1d,
  maxPool2d,
  randomConv1d,
  randomConv2d,
  residual,
  vera,
} from '../src/convolution.ts';
import { halfFields, halfFields1d, randomFields, randomFields1d } from '../src/fields.ts';
import { dense, halfDense, randomDense } from '../src/layers/dense.ts';
import type { LayerKindName, SpecOf } from '../src/layers/specs.ts';
import { layerName } from '../src/model/layer-name.ts';
import { randomKernels1d } from '../src/signals.ts';
import { ArchitectureError, parseLayers } from '../tools/common/architecture.ts';

describe('parseLayers', () => {
  it('reads every kind of layer', () => {
    expect(
      parseLayers(
        'half-conv 32 3x3 same binary gelu, pool 2, residual (conv 32 3x1 padding 1x0, dropout 0.25, random-conv 32 1),' +
          'average-pool 3x2 stride 1,conv 8 3 stride 2x1 dilation 2 tanh, global-pool, flatten, half 512 rank 16 leakyRelu, random 9 sparse, dense 10',
      ),
    ).toEqual([
      halfConv2d({ channels: 32, kernel: 3, padding: 'same', weights: 'binary', activation: 'gelu' }),
      maxPool2d({ size: 2 }),
      residual([
        conv2d({ channels: 32, kernel: [3, 1], padding: [1, 0] }),
        dropout({ rate: 0.25 }),
        randomConv2d({ channels: 32, kernel: 1 }),
      ]),
      averagePool2d({ size: [3, 2], stride: 1 }),
      conv2d({ channels: 8, kernel: 3, stride: [2, 1], dilation: 2, activation: 'tanh' }),
      globalAveragePool(),
      flatten(),
      halfDense({ units: 512, rank: 16, activation: 'leakyRelu' }),
      randomDense({ units: 9, weights: 'sparse' }),
      dense({ units: 10 }),
    ]);
    expect(parseLayers('half 512 mexican-hat gelu, dense 9')).toEqual([
      halfFields({ units: 512, weights: 'mexican-hat', activation: 'gelu' }),
      dense({ units: 9 }),
    ]);
    expect(parseLayers('random 7 patch')).toEqual([randomFields({ units: 7 })]);
    expect(parseLayers('half1d 7 binary-patch, random1d 3')).toEqual([
      halfFields1d({ units: 7, weights: 'binary-patch' }),
      randomFields1d({ units: 3 }),
    ]);
    expect(parseLayers('conv1d 4 5 stride 2,pool1d 2')).toEqual([
      conv1d({ channels: 4, kernel: 5, stride: 2 }),
      maxPool1d({ size: 2 }),
    ]);
  });

  it('reads what layerName writes, of every kind', () => {
    const layers: { [K in LayerKindName]: SpecOf<K>[] } = {
      half: [halfDense({ units: 5, rank: 2, activation: 'tanh' }), randomDense({ units: 6, weights: 'orthogonal' })],
      dense: [dense({ units: 4 })],
      randomKernels: [
        randomKernels1d({ units: 5 }),
        randomKernels1d({ units: 4, taps: 7, weights: 'normal', pools: ['max', 'ppv'] }),
      ],
      halfFields: [
        halfFields({ units: 3, weights: 'mexican-hat' }),
        randomFields({ units: 3 }),
        halfFields1d({ units: 2 }),
      ],
      halfConv: [
        halfConv2d({ channels: 3, kernel: [5, 3], padding: 'same', dilation: [1, 2] }),
        randomConv1d({ channels: 2, kernel: 4, stride: 3 }),
      ],
      conv: [conv2d({ channels: 3, kernel: 3, padding: [0, 1], stride: 2 }), conv1d({ channels: 2, kernel: 7 })],
      pool: [maxPool2d({ size: 3, stride: [2, 3] }), averagePool1d({ size: 4 }), averagePool2d({ size: 2, stride: 1 })],
      globalPool: [globalAveragePool()],
      flatten: [flatten()],
      dropout: [dropout({ rate: 0.25 })],
      vera: [vera({ units: 4, rank: 2 }), vera({ units: 4, rank: 2, weights: 'binary', base: 'trained' })],
      gated: [gated([halfDense({ units: 4, activation: 'sigmoid' })])],
      residual: [residual([conv2d({ channels: 1, kernel: 3, padding: 1 }), maxPool1d({ size: 2 })])],
    };
    for (const layer of Object.values(layers).flat()) expect(parseLayers(layerName(layer))).toEqual([layer]);
  });

  it.each<[string, RegExp, string]>([
    ['conv 16 three, dense 10', /expected the size of a filter, such as 3x3, got 'three'/, '        ^'],
    ['conf 16 3', /expected a layer \(half, random, dense, .*residual, gated\), got 'conf'/, '^'],
    ['conv 16', /the size of a filter, such as 3x3, got the end/, '       ^'],
    ['dense 10 binary', /expected a comma, or one of identity, relu, .* got 'binary'/, '         ^'],
    ['half 10 rank', /a size after 'rank', such as 2, got the end/, '            ^'],
    ['half 10 relu tanh', /expected activation once, got 'tanh'/, '             ^'],
    ['residual conv 3 3', /expected '\(' and the layers of the block, got 'conv'/, '         ^'],
    ['residual (conv 3 3', /expected a comma or '\)', got the end/, '                  ^'],
    ['dense 10)', /expected a comma, got '\)'/, '        ^'],
    ['dense 10,', /expected a layer .*, got the end/, '         ^'],
    ['pool 2, dropout 1', /expected a rate of 0 or more and below 1, got 'dropout'/, '        ^'],
    ['half-conv 4 4 same', /expected a kernel of odd sizes beside padding 'same'/, '^'],
    ['half 10 patch rank 3', /expected no rank beside receptive fields/, '^'],
    ['half-conv 4 3 patch', /expected a comma, .* got 'patch'/, '              ^'],
    ['half1d 4 normal', /expected a comma, .*mexican-hat.* got 'normal'/, '         ^'],
    ['half-conv 4 3 orthogonal', /expected weights to be one of normal, binary, uniform, sparse/, '^'],
    ['conv1d 4 3x3', /expected kernel to be a number or 1/, '^'],
    ['', /expected a layer .* got the end/, '^'],
  ])('points at the place: %s', (text, message, place) => {
    expect(() => parseLayers(text)).toThrow(ArchitectureError);
    expect(() => parseLayers(text)).toThrow(message);
    try {
      parseLayers(text);
    } catch (error) {
      expect((error as Error).message.split('\n').slice(1)).toEqual([`  ${text}`, `  ${place}`]);
    }
  });
});
