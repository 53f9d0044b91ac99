/** Losses by name: what training reports and reaches on both backends, and names and targets that are refused. */
import { describe, expect, it } from 'vitest';
import { DataError, OptionError } from '../src/core/errors.ts';
import { elementwiseLosses, lossHasHits, lossTargets, lossTwins } from '../src/core/losses.ts';
import { dataSet } from '../src/data/dataset.ts';
import type { Loss } from '../src/graph/losses.ts';
import { dense, halfDense } from '../src/layers/dense.ts';
import { sequential } from '../src/model/model.ts';
import { createContext } from '../src/open.ts';
import { createPredictor } from '../src/predict/predictor.ts';
import { evaluate } from '../src/train/evaluate.ts';
import { fit } from '../src/train/fit.ts';
import { testContext } from './gpu.ts';
import { numbers } from './kernels/harness.ts';

const backends = [
  ['WebGPU', testContext],
  ['the CPU', () => createContext({ backend: 'cpu', threads: 1 })],
] as const;
const [rows, outputs] = [60, 3];

/** Rows of five numbers, of which each output is a noisy function; as labels, its sign. */
function problem(loss: Loss) {
  const features = numbers(rows * 5, 1, 2);
  const targets = Float32Array.from({ length: rows * outputs }, (_, i) => {
    const row = 5 * Math.floor(i / outputs);
    const value = features[row + (i % outputs)]! - 0.5 * features[row + 3]! + 0.1 * Math.sin(i);
    return loss !== 'crossEntropy' && lossTargets(loss) === 'any' ? value : Number(value > 0);
  });
  return dataSet({ features, shape: [5], targets });
}
const model = () => sequential([halfDense({ units: 24 }), dense({ units: outputs })], { input: [5], seed: 3 });

describe.each(backends)('on %s', (_, open) => {
  it.each(elementwiseLosses)('%s trains, and reports what its twin makes of the predictions', async (loss) => {
    const context = await open();
    const [network, data] = [model(), problem(loss)];
    const reported: number[] = [];
    for await (const epoch of fit(context, network, data, { loss, epochs: 40, batchSize: 20, learningRate: 0.02 })) {
      reported.push(epoch.loss);
    }
    expect(reported.at(-1)).toBeLessThan(0.35 * reported[0]!);
    const predictor = await createPredictor(context, network);
    const answers = await predictor.predict(data.features as Float32Array);
    await predictor.dispose();
    const each = Array.from(answers, (y, i) => lossTwins[loss](y, data.targets![i]!));
    const mean = (of: 'loss' | 'hit') => each.reduce((sum, made) => sum + made[of], 0) / each.length;
    const measured = await evaluate(context, network, data, { loss });
    expect(measured.loss).toBeCloseTo(mean('loss'), 5);
    if (lossHasHits(loss)) expect(measured.accuracy).toBeCloseTo(mean('hit'), 5);
    else expect(measured.accuracy).toBeNaN();
  });

  it.each(['mse', 'toString', ''])("refuses the loss '%s' by name", async (name) => {
    const context = await open();
    const options = { loss: name as Loss };
    const expected = new RegExp(`expected loss to be one of crossEntropy, meanSquaredError.*; got '${name}'`);
    const training = fit(context, model(), problem('meanSquaredError'), options).next();
    await expect(training).rejects.toThrow(OptionError);
    await expect(training).rejects.toThrow(expected);
    await expect(evaluate(context, model(), problem('meanSquaredError'), options)).rejects.toThrow(expected);
  });
});

it.each(elementwiseLosses.filter((loss) => lossTargets(loss) !== 'any'))('%s refuses other targets', async (loss) => {
  const context = await createContext({ backend: 'cpu', threads: 1 });
  for (const wrong of [-0.1, 1.5]) {
    const data = dataSet({ features: numbers(10, 1), shape: [5], targets: Float32Array.of(0, 1, 0.5, 1, 0, wrong) });
    const training = fit(context, model(), data, { loss }).next();
    await expect(training).rejects.toThrow(DataError);
    await expect(training).rejects.toThrow(new RegExp(`targets from 0 to 1 for ${loss}, got ${Math.fround(wrong)}`));
  }
});
