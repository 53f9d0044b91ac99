/** softmax_cross_entropy, elementwise_loss, class_weights, accumulate_loss. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { accumulateLoss } from '../../kernels/accumulate_loss.ts';
import { classWeights } from '../../kernels/class_weights.ts';
import { elementwiseLoss } from '../../kernels/elementwise_loss.ts';
import { softmaxCrossEntropy } from '../../kernels/softmax_cross_entropy.ts';
import { elementwiseLosses, lossTargets } from '../../src/core/losses.ts';
import { accumulateLoss as accumulateLossTwin } from '../../src/reference/accumulate_loss.ts';
import { classWeights as classWeightsTwin } from '../../src/reference/class_weights.ts';
import { elementwiseLoss as elementwiseLossTwin } from '../../src/reference/elementwise_loss.ts';
import { softmaxCrossEntropy as softmaxCrossEntropyTwin } from '../../src/reference/softmax_cross_entropy.ts';
import { type Case, checkCases, numbers, samples, size, sumError } from './harness.ts';

const shapes = samples(fc.record({ m: size(200), n: size(140), amplitude: fc.constantFrom(0.5, 5, 1000) }), 200);

it('softmax_cross_entropy is its twin over 200 shapes, logits up to 1000', async () => {
  const cases = shapes.map(({ m, n, amplitude }, i): Case => {
    const logits = numbers(m * n, i, amplitude);
    const labels = Uint32Array.from(numbers(m, i + 1000), (value) => Math.floor(((value + 1) / 2) * n) % n);
    const { loss, dlogits } = softmaxCrossEntropyTwin({ m, n, logits, labels });
    const reason = 'exp and log of WGSL (3 ulp + 2 |x| ulp), f32 sum over n';
    return {
      what: `${m}x${n} x${amplitude}`,
      inputs: { logits, labels },
      outputs: {
        loss: { want: loss, tolerance: { absolute: 1e-5, relative: 1e-5, reason } },
        dlogits: { want: dlogits, tolerance: { absolute: 1e-5 / m, relative: 2e-5, reason } },
      },
      dispatch: ({ logits, labels, loss, dlogits }) =>
        softmaxCrossEntropy({ m, n, logits: logits!, labels: labels!, loss: loss!, dlogits: dlogits! }),
    };
  });
  expect(await checkCases(cases)).toBe(200);
});

it('softmax_cross_entropy counts the first of equal logits, as the twin does', async () => {
  const logits = new Float32Array(3 * 4).fill(1.5);
  const labels = Uint32Array.of(0, 1, 3);
  const { loss, dlogits } = softmaxCrossEntropyTwin({ m: 3, n: 4, logits, labels });
  expect([loss[1], loss[3], loss[5]]).toEqual([1, 0, 0]);
  await checkCases([
    {
      what: 'equal logits',
      inputs: { logits, labels },
      outputs: {
        loss: { want: loss, tolerance: { absolute: 1e-6, reason: 'log' } },
        dlogits: { want: dlogits, tolerance: { absolute: 1e-6, reason: 'division' } },
      },
      dispatch: ({ logits, labels, loss, dlogits }) =>
        softmaxCrossEntropy({ m: 3, n: 4, logits: logits!, labels: labels!, loss: loss!, dlogits: dlogits! }),
    },
  ]);
});

it.each(elementwiseLosses)('elementwise_loss, %s, is its twin over 200 shapes', async (kind) => {
  const cases = shapes.map(({ m, n, amplitude }, i): Case => {
    const y = numbers(m * n, i, amplitude);
    const targets = numbers(m * n, i + 1000, 3).map((t) => (lossTargets(kind) === 'any' ? t : Number(t > 0)));
    const { loss, dy } = elementwiseLossTwin({ kind, m, n, y, targets });
    const reason = 'f32 sum over n of terms that do not cancel, exp and log of WGSL';
    return {
      what: `${m}x${n} x${amplitude}`,
      inputs: { y, targets },
      outputs: {
        loss: { want: loss, tolerance: { absolute: 1e-6, relative: sumError(n) + 1e-5, reason } },
        dy: { want: dy, tolerance: { absolute: 1e-6 / (m * n), relative: 1e-5, reason } },
      },
      dispatch: ({ y, targets, loss, dy }) =>
        elementwiseLoss({ kind, m, n, y: y!, targets: targets!, loss: loss!, dy: dy! }),
    };
  });
  expect(await checkCases(cases)).toBe(200);
});

it('class_weights is its twin over 100 shapes, rounded once', async () => {
  const cases = shapes.slice(0, 100).map(({ m, n, amplitude }, i): Case => {
    const [loss, gradient] = [numbers(2 * m, i, amplitude), numbers(m * n, i + 1)];
    const weights = numbers(n, i + 2, 9).map(Math.abs);
    const labels = Uint32Array.from({ length: m }, (_, row) => (7 * row + i) % n);
    const want = classWeightsTwin({ m, n, loss, gradient, labels, weights });
    const exact = { absolute: 0, reason: 'one f32 product, rounded as the twin is here' };
    return {
      what: `${m}x${n}`,
      inputs: { loss, gradient, labels, weights },
      outputs: {
        weightedLoss: { want: Float32Array.from(want.weightedLoss), tolerance: exact },
        weightedGradient: { want: Float32Array.from(want.weightedGradient), tolerance: exact },
      },
      dispatch: ({ loss, gradient, labels, weights, weightedLoss, weightedGradient }) =>
        classWeights({
          ...{ m, n, loss: loss!, gradient: gradient!, labels: labels!, weights: weights! },
          ...{ weightedLoss: weightedLoss!, weightedGradient: weightedGradient! },
        }),
    };
  });
  expect(await checkCases(cases)).toBe(100);
});

it('accumulate_loss adds to what is there, over 200 sizes', async () => {
  const cases = samples(size(600), 200).map((m, i): Case => {
    const loss = numbers(2 * m, i).map((value, j) => (j % 2 ? Number(value > 0) : value + 1));
    const initial = Float32Array.of(3, 7);
    const [sum, hits] = accumulateLossTwin({ m, loss });
    return {
      what: `${m}`,
      inputs: { loss },
      outputs: {
        total: {
          want: [3 + sum, 7 + hits],
          initial,
          tolerance: { absolute: 0, relative: sumError(m), reason: 'f32 sum over m' },
        },
      },
      dispatch: ({ loss, total }) => accumulateLoss({ m, loss: loss!, total: total! }),
    };
  });
  expect(await checkCases(cases)).toBe(200);
});
