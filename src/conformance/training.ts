/** The kernels of training: losses and optimizers, which round, and batches, which only copy. */
import { accumulateLoss } from '../../kernels/accumulate_loss.ts';
import { adam } from '../../kernels/adam.ts';
import { averagePool } from '../../kernels/average_pool.ts';
import { averagePoolGradient } from '../../kernels/average_pool_gradient.ts';
import { classWeights } from '../../kernels/class_weights.ts';
import { dropout } from '../../kernels/dropout.ts';
import { elementwiseLoss } from '../../kernels/elementwise_loss.ts';
import { gatherRows } from '../../kernels/gather_rows.ts';
import { gatherRowsU8 } from '../../kernels/gather_rows_u8.ts';
import { sgd } from '../../kernels/sgd.ts';
import { softmaxCrossEntropy } from '../../kernels/softmax_cross_entropy.ts';
import { elementwiseLosses } from '../core/losses.ts';
import { imageSize, type Window, windowCounts } from '../core/window.ts';
import type { BufferSlice } from '../gpu/kernel.ts';
import { accumulateLoss as accumulateLossTwin } from '../reference/accumulate_loss.ts';
import { adam as adamTwin } from '../reference/adam.ts';
import { averagePool as averagePoolTwin } from '../reference/average_pool.ts';
import { averagePoolGradient as averagePoolGradientTwin } from '../reference/average_pool_gradient.ts';
import { classWeights as classWeightsTwin } from '../reference/class_weights.ts';
import { dropout as dropoutTwin } from '../reference/dropout.ts';
import { elementwiseLoss as elementwiseLossTwin } from '../reference/elementwise_loss.ts';
import { gatherRows as gatherRowsTwin } from '../reference/gather_rows.ts';
import { gatherRowsU8 as gatherRowsU8Twin } from '../reference/gather_rows_u8.ts';
import { sgd as sgdTwin } from '../reference/sgd.ts';
import { softmaxCrossEntropy as softmaxCrossEntropyTwin } from '../reference/softmax_cross_entropy.ts';
import { unitKeys } from '../weights/stream.ts';
import { type Case, type Covered, type Group, numbers, sumError } from './case.ts';
import { transposed } from './exact.ts';
import { epilogues } from './layers.ts';

type Buffers = Record<string, BufferSlice>;

const [m, n] = [19, 70];

const losses: Group = {
  name: 'losses',
  cases: () => {
    const logits = numbers(m * n, 1, 5);
    const labels = Uint32Array.from({ length: m }, (_, i) => (7 * i) % n);
    const cross = softmaxCrossEntropyTwin({ m, n, logits, labels });
    const targets = numbers(m * n, 2, 3).map((target) => Math.abs(target) / 3);
    const total = accumulateLossTwin({ m, loss: cross.loss });
    const reason = 'exp and log of WGSL, f32 sum over n';
    return [
      {
        what: 'cross entropy',
        inputs: { logits, labels },
        outputs: {
          loss: { want: cross.loss, tolerance: { absolute: 1e-5, relative: 1e-5, reason } },
          dlogits: { want: cross.dlogits, tolerance: { absolute: 1e-5 / m, relative: 2e-5, reason } },
        },
        dispatch: ({ logits, labels, loss, dlogits }: Buffers) =>
          softmaxCrossEntropy({ m, n, logits: logits!, labels: labels!, loss: loss!, dlogits: dlogits! }),
      },
      ...elementwiseLosses.map((kind): Case => {
        const want = elementwiseLossTwin({ kind, m, n, y: logits, targets });
        return {
          what: kind,
          inputs: { y: logits, targets },
          outputs: {
            loss: { want: want.loss, tolerance: { absolute: 1e-5, relative: sumError(n) + 1e-5, reason } },
            dy: { want: want.dy, tolerance: { absolute: 1e-5 / (m * n), relative: 1e-5, reason } },
          },
          dispatch: ({ y, targets, loss, dy }: Buffers) =>
            elementwiseLoss({ kind, m, n, y: y!, targets: targets!, loss: loss!, dy: dy! }),
        };
      }),
      {
        what: 'the sum over a batch',
        inputs: { loss: Float32Array.from(cross.loss) },
        outputs: {
          total: {
            want: total.map((value, i) => value + [3, 7][i]!),
            initial: Float32Array.of(3, 7),
            tolerance: { absolute: 0, relative: sumError(m) + 2 ** -24, reason: 'f32 sum over m' },
          },
        },
        dispatch: ({ loss, total }: Buffers) => accumulateLoss({ m, loss: loss!, total: total! }),
      },
    ];
  },
};

const weighted: Group = {
  name: 'losses weighted by class',
  cases: () => {
    const [loss, gradient, weights] = [numbers(2 * m, 1, 5), numbers(m * n, 2), numbers(n, 3, 9).map(Math.abs)];
    const labels = Uint32Array.from({ length: m }, (_, i) => (7 * i) % n);
    const want = classWeightsTwin({ m, n, loss, gradient, labels, weights });
    const tolerance = { absolute: 0, relative: 2 ** -24, reason: 'one f32 product' };
    return [
      {
        what: 'a weight for each class',
        inputs: { loss, gradient, labels, weights },
        outputs: {
          weightedLoss: { want: want.weightedLoss, tolerance },
          weightedGradient: { want: want.weightedGradient, tolerance },
        },
        dispatch: ({ loss, gradient, labels, weights, weightedLoss, weightedGradient }: Buffers) =>
          classWeights({
            ...{ m, n, loss: loss!, gradient: gradient!, labels: labels!, weights: weights! },
            ...{ weightedLoss: weightedLoss!, weightedGradient: weightedGradient! },
          }),
      },
    ];
  },
};

const optimizers: Group = {
  name: 'optimizers',
  cases: () => {
    const count = 700;
    const [value, gradient, moment] = [numbers(count, 1), numbers(count, 2), numbers(count, 3)];
    const squares = numbers(count, 4).map(Math.abs);
    const [beta1, beta2, epsilon, weightDecay] = [0.9, 0.999, 1e-8, 0.1];
    const [learningRate, step, momentum] = [0.01, 10, 0.9];
    const f64 = (data: Float32Array) => Float64Array.from(data);
    const mean = { value: f64(value), moment1: f64(moment), moment2: f64(squares) };
    adamTwin({ beta1, beta2, epsilon, weightDecay, learningRate, step, gradient, ...mean });
    const descent = { value: f64(value), velocity: f64(moment) };
    sgdTwin({ momentum, learningRate, gradient, ...descent });
    const schedule = Float32Array.of(learningRate, 1 - beta1 ** step, 1 - beta2 ** step, 0);
    const tolerance = { absolute: 6e-7, relative: 1e-5, reason: 'f32 rounding, sqrt and division of WGSL (2.5 ulp)' };
    return [
      {
        what: 'adam',
        inputs: { gradient, schedule },
        outputs: {
          value: {
            want: mean.value,
            initial: value,
            tolerance: { ...tolerance, absolute: 2e-7 + 2e-4 * learningRate },
          },
          moment1: { want: mean.moment1, initial: moment, tolerance },
          moment2: { want: mean.moment2, initial: squares, tolerance },
        },
        dispatch: ({ schedule, value, gradient, moment1, moment2 }: Buffers) =>
          adam({
            ...{ count, beta1, beta2, epsilon, weightDecay, schedule: schedule!, value: value!, gradient: gradient! },
            ...{ moment1: moment1!, moment2: moment2! },
          }),
      },
      {
        what: 'sgd',
        inputs: { gradient, schedule },
        outputs: {
          value: { want: descent.value, initial: value, tolerance },
          velocity: { want: descent.velocity, initial: moment, tolerance },
        },
        dispatch: ({ schedule, value, gradient, velocity }: Buffers) =>
          sgd({ count, momentum, schedule: schedule!, value: value!, gradient: gradient!, velocity: velocity! }),
      },
    ];
  },
};

const batches: Group = {
  name: 'batches out of a data set',
  cases: () => {
    const [total, piece, columns, rows, start] = [23, 8, 37, 17, 2];
    const indices = Uint32Array.from({ length: start + rows }, (_, i) => (7 * i + 3) % total);
    const floats = numbers(total * columns, 1);
    const bytes = Uint8Array.from(floats, (value) => Math.floor(127.99 * (value + 1)));
    const starts = [0, 1, 2].map((i) => i * piece);
    const args = { rows, columns, start, indices };
    const [scale, shift] = [1 / 255, -0.5];
    return [floats, bytes].map((source): Case => {
      const pieces = starts.map((first) => source.slice(first * columns, (first + piece) * columns));
      const packed = source === bytes;
      const tolerance = { absolute: 1.2e-7, reason: 'one f32 multiply and add' };
      return {
        what: packed ? 'bytes' : 'words',
        inputs: {
          schedule: Uint32Array.of(0, 0, 0, start),
          indices,
          ...Object.fromEntries(pieces.map((data, i) => [`piece${i}`, data])),
        },
        outputs: {
          out: packed
            ? { want: gatherRowsU8Twin({ ...args, source, scale, shift }), tolerance }
            : { want: gatherRowsTwin({ ...args, source }) },
        },
        dispatch: (buffers) =>
          starts.map((first, i) => {
            const { schedule, indices, out } = buffers as Buffers;
            const common = {
              rows,
              columns,
              first,
              available: pieces[i]!.length / columns,
              piece: buffers[`piece${i}`]!,
            };
            const all = { ...common, schedule: schedule!, indices: indices!, out: out! };
            return packed ? gatherRowsU8({ ...all, scale, shift }) : gatherRows(all);
          }),
      };
    });
  },
};

export const between: Group = {
  name: 'means over windows, dropout',
  cases: () => {
    const [rows, rate, step] = [3, 0.3, 5];
    const sizes = { height: 7, width: 9, channels: 3, kernel: [3, 2], stride: [2, 1] } as const;
    const window: Window = { ...sizes, padding: [0, 0], dilation: [1, 1] };
    const [down, across] = windowCounts(window);
    const x = numbers(rows * imageSize(window), 1);
    const dy = numbers(rows * down * across * window.channels, 2);
    const tolerance = { absolute: 8 * 2 ** -24, reason: 'f32 sum of six numbers up to 1' };
    const factor = { absolute: 0, relative: 3e-7, reason: 'one f32 product by a rounded factor' };
    return [
      {
        what: 'means',
        inputs: { x },
        outputs: { y: { want: averagePoolTwin({ rows, window, x }), tolerance } },
        dispatch: ({ x, y }: Buffers) => averagePool({ rows, window, x: x!, y: y! }),
      },
      {
        what: 'means, by their input',
        inputs: { dy },
        outputs: { dx: { want: averagePoolGradientTwin({ rows, window, dy }), tolerance } },
        dispatch: ({ dy, dx }: Buffers) => averagePoolGradient({ rows, window, dy: dy!, dx: dx! }),
      },
      {
        what: 'dropout',
        inputs: { x, keys: unitKeys(4, 2, 1), schedule: Uint32Array.of(0, 0, 0, 0, step) },
        outputs: { y: { want: dropoutTwin({ rate, mask: { seed: 4, tensor: 2 }, step, x }), tolerance: factor } },
        dispatch: ({ x, keys, schedule, y }: Buffers) =>
          dropout({ count: rows * imageSize(window), rate, x: x!, keys: keys!, schedule: schedule!, y: y! }),
      },
    ];
  },
};

export const trainingGroups: readonly Group[] = [losses, weighted, optimizers, batches, between];

export const trainingCases: Covered<'training'> = {
  randomMatmulTransposed: [transposed],
  epilogueInputGradient: [epilogues],
  epilogueParameterGradient: [epilogues],
  softmaxCrossEntropy: [losses],
  elementwiseLoss: [losses],
  classWeights: [weighted],
  dropout: [between],
  adam: [optimizers],
  sgd: [optimizers],
};
