/** The CPU kernels beside the random products, held to the twins of their GPU brothers. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { activationCode, activationNames } from '../../src/core/activations.ts';
import { elementwiseLosses, lossCode, lossTargets } from '../../src/core/losses.ts';
import { matmul } from '../../src/cpu/matmul.ts';
import { adam as adamTwin } from '../../src/reference/adam.ts';
import { classWeights as weightsTwin } from '../../src/reference/class_weights.ts';
import { elementwiseLoss as elementwiseTwin } from '../../src/reference/elementwise_loss.ts';
import { epilogue as epilogueTwin } from '../../src/reference/epilogue.ts';
import { epilogueInputGradient as inputTwin } from '../../src/reference/epilogue_input_gradient.ts';
import { epilogueParameterGradient as parameterTwin } from '../../src/reference/epilogue_parameter_gradient.ts';
import { gram as gramTwin } from '../../src/reference/gram.ts';
import { matmul as matmulTwin } from '../../src/reference/matmul.ts';
import { sgd as sgdTwin } from '../../src/reference/sgd.ts';
import { softmaxCrossEntropy as softmaxTwin } from '../../src/reference/softmax_cross_entropy.ts';
import { expectClose, type Tolerance } from '../compare.ts';
import { numbers, samples, size, sumError } from '../kernels/harness.ts';
import { outputOf, wholeMachine } from './machine.ts';

const machine = await wholeMachine();
const { kernels } = machine;

/** Memory for `count` numbers; `check` compares. */
function output(count: number) {
  const { at, read } = outputOf(machine, count);
  const check = (want: ArrayLike<number>, tolerance: Tolerance, what: string) =>
    expectClose(read(), want, tolerance, what);
  return { at, check };
}

/** Runs with memory that is given back. */
function apart(run: () => void): void {
  const mark = machine.mark();
  run();
  machine.release(mark);
}

describe('matmul', () => {
  it('is its twin over 200 shapes, transposed or not', () => {
    const problem = fc.record({
      m: size(30),
      k: size(300),
      n: size(70),
      transposeA: fc.boolean(),
      transposeB: fc.boolean(),
    });
    for (const [i, p] of samples(problem, 200).entries()) {
      apart(() => {
        const [a, b] = [numbers(p.m * p.k, i), numbers(p.k * p.n, i + 1000)];
        const c = output(p.m * p.n);
        matmul(machine, p)(machine.place(a), machine.place(b), c.at);
        const tolerance = { absolute: sumError(p.k) * p.k, reason: 'f32 sum of k products of at most 1' };
        c.check(matmulTwin({ ...p, a, b }), tolerance, JSON.stringify(p));
      });
    }
  });
});

describe('gram', () => {
  it('is its twin over 100 shapes, and exact for integers past a block of rows', () => {
    const problem = fc.record({ m: size(300), n: size(70) });
    for (const [i, { m, n }] of [...samples(problem, 100), { m: 600, n: 37 }].entries()) {
      apart(() => {
        const exact = m > 256;
        const x = numbers(m * n, i).map((value) => (exact ? Math.round(100 * value) + 0 : value));
        const g = output(n * n);
        const panels = machine.allocate(4 * 256 * Math.ceil(n / 8) * 8);
        kernels.gram(machine.place(x), m, n, panels, g.at);
        const absolute = exact ? 0 : sumError(m) * m;
        g.check(gramTwin({ m, n, x }), { absolute, reason: 'f32 sum of m products of at most 1' }, `${m}x${n}`);
      });
    }
  });
});

describe('the epilogue and its gradients', () => {
  const problem = fc.record({ m: size(20), n: size(70), activation: fc.constantFrom(...activationNames) });
  const cases = samples(problem, 240);

  it('are their twins over 240 shapes, every activation, with and without a scale', () => {
    expect(new Set(cases.map(({ activation }) => activation)).size).toBe(activationNames.length);
    for (const [i, { m, n, activation }] of cases.entries()) {
      apart(() => {
        // Some far out, where exp would overflow.
        const z = numbers(m * n, i, 3).map((value, at) => (at % 29 === 7 ? 60 * value : value));
        const [scale, b, dy] = [numbers(n, i + 1000, 2), numbers(n, i + 2000, 2), numbers(m * n, i + 3000)];
        const u = i % 3 ? scale : undefined;
        const args = { m, n, z, u, b, activation };
        const places = [machine.place(z), u ? machine.place(u) : 0, machine.place(b)] as const;
        const shape = [activationCode(activation), m, n] as const;
        const d = machine.place(dy);
        const [y, dz, du, db] = [output(m * n), output(m * n), output(n), output(n)];
        kernels.epilogue(...places, ...shape, y.at);
        kernels.epilogueInputGradient(...places, ...shape, d, dz.at);
        kernels.epilogueParameterGradient(...places, ...shape, d, u ? du.at : 0, db.at);
        const what = `${m}x${n} ${activation}`;
        // cos passes on the rounding of u z + b, of up to 362, and its value does not grow with it as that of others does.
        const rounding = activation === 'cos' ? 362 * 2 ** -23 : 0;
        const f32 = {
          absolute: 4e-6 + rounding,
          relative: 2e-6,
          reason: 'u z + b of at most 12 in f32 (far out relative), exp',
        };
        y.check(epilogueTwin(args), f32, what);
        dz.check(inputTwin({ ...args, dy }), { ...f32, absolute: 1.2e-5 + 2 * rounding }, `${what} dz`);
        const want = parameterTwin({ ...args, dy });
        // Sums over m of such errors, times z of up to 180.
        db.check(want.db, { absolute: (6e-6 + rounding) * m, reason: 'a sum of m' }, `${what} db`);
        if (u)
          du.check(want.du, { absolute: (6e-6 + rounding) * m * 180, reason: 'a sum of m, times z' }, `${what} du`);
      });
    }
  });

  it('cos holds 3e-7 up to 8192', () => {
    apart(() => {
      const z = numbers(4000, 1, 8192);
      const b = new Float32Array(40);
      const [y, dz] = [output(4000), output(4000)];
      const places = [machine.place(z), 0, machine.place(b)] as const;
      const dy = new Float32Array(4000).fill(1);
      kernels.epilogue(...places, activationCode('cos'), 100, 40, y.at);
      kernels.epilogueInputGradient(...places, activationCode('cos'), 100, 40, machine.place(dy), dz.at);
      const args = { m: 100, n: 40, z, b, activation: 'cos' } as const;
      const tolerance = { absolute: 3e-7, reason: 'an argument less multiples of pi (1e-7), a polynomial, rounding' };
      y.check(epilogueTwin(args), tolerance, 'cos');
      dz.check(inputTwin({ ...args, dy }), tolerance, 'its slope');
    });
  });

  it('works in place', () => {
    for (const [m, n] of [
      [3, 5],
      [4, 8],
      [7, 1],
      [2, 130],
    ] as const) {
      apart(() => {
        const [z, b] = [numbers(m * n, 1), numbers(n, 2)];
        const y = output(m * n);
        machine.floats(y.at, m * n).set(z);
        kernels.epilogue(y.at, 0, machine.place(b), activationCode('relu'), m, n, y.at);
        y.check(epilogueTwin({ m, n, z, b, activation: 'relu' }), { absolute: 1e-6, reason: 'f32' }, `${m}x${n}`);
      });
    }
  });
});

describe('losses', () => {
  it('are their twins over 200 shapes', () => {
    const problem = fc.record({ m: size(40), n: size(70), amplitude: fc.constantFrom(0.1, 3, 300) });
    for (const [i, { m, n, amplitude }] of samples(problem, 200).entries()) {
      apart(() => {
        const logits = numbers(m * n, i, amplitude);
        const labels = Uint32Array.from({ length: m }, (_, row) => (7 * row + i) % n);
        const [loss, dlogits] = [output(2 * m), output(m * n)];
        kernels.softmaxCrossEntropy(machine.place(logits), machine.place(labels), m, n, loss.at, dlogits.at);
        const want = softmaxTwin({ m, n, logits, labels });
        const what = `${m}x${n} ${amplitude}`;
        const tolerance = { absolute: 2e-6, relative: 1e-6, reason: 'exp and log of f32, differences of logits' };
        loss.check(want.loss, tolerance, what);
        dlogits.check(want.dlogits, { ...tolerance, absolute: 1e-6 }, what);

        const weights = numbers(n, i + 700, 9).map(Math.abs);
        const [weightedLoss, weightedGradient] = [output(2 * m), output(m * n)];
        const read = [loss.at, dlogits.at, machine.place(labels), machine.place(weights)] as const;
        const made = { loss: machine.floats(loss.at, 2 * m), gradient: machine.floats(dlogits.at, m * n) };
        const wantedWeighted = weightsTwin({ m, n, ...made, labels, weights });
        kernels.classWeights(...read, m, n, weightedLoss.at, weightedGradient.at);
        const once = { absolute: 0, relative: 2 ** -24, reason: 'one f32 product' };
        weightedLoss.check(wantedWeighted.weightedLoss, once, what);
        weightedGradient.check(wantedWeighted.weightedGradient, { ...once, absolute: 2 ** -149 }, what);

        for (const kind of elementwiseLosses) {
          const any = numbers(m * n, i + 500, amplitude);
          const targets = lossTargets(kind) === 'any' ? any : any.map((target) => Number(target > 0));
          const [each, dy] = [output(2 * m), output(m * n)];
          const places = [machine.place(logits), machine.place(targets)] as const;
          kernels.elementwiseLoss(...places, lossCode(kind), m, n, each.at, dy.at);
          const wanted = elementwiseTwin({ kind, m, n, y: logits, targets });
          each.check(wanted.loss, { absolute: 1e-12, relative: 1e-5, reason: 'f32 sum of positive terms' }, what);
          dy.check(wanted.dy, { absolute: 1e-6 * amplitude, relative: 1e-6, reason: 'f32' }, what);
        }
      });
    }
  });
});

describe('optimizers', () => {
  it('take five steps as their twins do, over 60 lengths', () => {
    for (const [i, length] of samples(size(200), 60).entries()) {
      apart(() => {
        const start = numbers(length, i);
        const rate = 0.01;
        const moments = { beta1: 0.9, beta2: 0.99, epsilon: 1e-6, weightDecay: [0, 0.1, 0.5][i % 3]! };
        const zeros = () => new Float64Array(length);
        const wanted = { value: Float64Array.from(start), moment1: zeros(), moment2: zeros() };
        const descended = { value: Float64Array.from(start), velocity: zeros() };
        const [value, moment1, moment2, moved, velocity] = [start, zeros(), zeros(), start, zeros()].map((data) =>
          machine.place(Float32Array.from(data)),
        ) as [number, number, number, number, number];
        for (let step = 1; step <= 5; step++) {
          const gradient = numbers(length, 100 * i + step);
          const at = machine.place(gradient);
          const { beta1, beta2, epsilon, weightDecay } = moments;
          const corrections = [1 - beta1 ** step, 1 - beta2 ** step] as const;
          kernels.adam(value, at, moment1, moment2, length, beta1, beta2, epsilon, weightDecay, rate, ...corrections);
          kernels.sgd(moved, at, velocity, length, 0.9, rate);
          adamTwin({ ...moments, ...wanted, learningRate: rate, step, gradient });
          sgdTwin({ ...descended, momentum: 0.9, learningRate: rate, gradient });
        }
        const tolerance = { absolute: 2e-5, relative: 1e-6, reason: 'five steps of at most 0.01 in f32' };
        expectClose(machine.floats(value, length), wanted.value, tolerance, `adam ${length}`);
        expectClose(machine.floats(moved, length), descended.value, tolerance, `sgd ${length}`);
      });
    }
  });
});
