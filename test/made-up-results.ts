/** Made-up lines of results files. */
import type { Epoch, Result } from '../tools/experiments/spec.ts';
import { runSpec } from '../tools/experiments/spec.ts';

interface Given extends Partial<Omit<Result, 'spec' | 'key'>> {
  readonly network: string;
}

export function madeUp({ data = 'mnist', seed = 0, network, ...given }: Given): Result {
  const spec = runSpec({ data, network, seed, epochs: 2 });
  const testAccuracy = given.testAccuracy ?? 0.9;
  const history = [1, 2].map(
    (epoch): Epoch => ({
      epoch,
      loss: 1 / epoch,
      accuracy: testAccuracy,
      heldOutLoss: 1.1 / epoch,
      heldOutAccuracy: testAccuracy - 0.01 / epoch,
      seconds: 1,
    }),
  );
  return {
    key: spec.key,
    experiment: 'paper',
    data,
    seed,
    network: network.replace('classes', '10'),
    testAccuracy,
    trainedParameters: 1000,
    regeneratedWeights: 784 * 100,
    modelBytes: 5000,
    modelBytesF16: 2600,
    testAccuracyF16: testAccuracy,
    predictMs: 0.5,
    trainSeconds: 3,
    trainCpuSeconds: 2.5,
    peakRssBytes: 2e8,
    history,
    confusion: Array.from({ length: 10 }, (_, i) =>
      Array.from({ length: 10 }, (_, j) => (i === j ? 9 : i > j ? 1 : 0)),
    ),
    backend: 'cpu',
    adapter: 'CPU, 1 thread',
    version: '0.0.0',
    date: '2026-01-01T00:00:00.000Z',
    ...given,
    spec,
  };
}
