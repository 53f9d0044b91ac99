/** `weightless start`: the main job. A half network against the same network with nothing but the output trained. */

import { PrefixCache } from '../../src/backend/prefix-cache.ts';
import { checkWritable, writeResult } from '../../src/core/files.ts';
import { loadMnist } from '../../src/data/mnist.ts';
import type { Context } from '../../src/gpu/context.ts';
import { saveModel } from '../../src/model/save.ts';
import type { EpochReport } from '../../src/train/fit.ts';
import { percent, print, say } from '../common/output.ts';
import { runsTable, type TrainedRun, type TrainOptions, trainOne } from './trained-run.ts';

/** Where the main job leaves its model. */
const MODEL_FILE = 'mnist-half-1024.safetensors';

export async function startCommand(
  context: Context,
  { json, epochs }: { json?: boolean; epochs: number },
): Promise<void> {
  await checkWritable(MODEL_FILE);
  const test = await loadMnist('test');
  const data = { train: await loadMnist('train'), test, watched: test };
  const report = json ? () => {} : say;
  const options: TrainOptions = {
    kind: 'half',
    units: [1024],
    weights: 'normal',
    activation: 'relu',
    epochs,
    batch: 128,
    rate: 0.004,
    schedule: 'cosine',
    seed: 0,
    runs: 1,
    ...(json && { json }),
  };
  const runs: TrainedRun[] = [];
  const prefixes = new PrefixCache(context); // both networks have the same random layer
  for (const kind of ['half', 'random'] as const) {
    report(`training 784-1024(${kind}, normal)-10 on MNIST: 60,000 images, ${epochs} epochs`);
    const onEpoch = ({ epoch, loss, validation }: EpochReport) =>
      report(`  epoch ${epoch}: loss ${loss.toFixed(4)}, test accuracy ${percent(validation!.accuracy)}`);
    const { model, run } = await trainOne(context, { ...options, kind }, options.seed, data, onEpoch, prefixes);
    runs.push(run);
    if (kind === 'half') await writeResult(MODEL_FILE, saveModel(model));
  }
  print(json, { runs, file: MODEL_FILE }, () =>
    [
      runsTable(runs),
      `adapter: ${runs[0]!.adapter}`,
      `model: ${MODEL_FILE} (a seed, two numbers a hidden unit, the output layer; its random weights are regenerated)`,
      '',
      'Try next:',
      `  npx weightless eval ${MODEL_FILE}`,
      `  npx weightless inspect ${MODEL_FILE}`,
      `  npx weightless predict ${MODEL_FILE} digit.png`,
      '  npx weightless train --weights binary --units 2048 --epochs 20 --out binary.safetensors',
      '  npx weightless weights --seed 0 --distribution normal --inputs 0:4 --units 0:8',
    ].join('\n'),
  );
}
