/** `weightless train`: one or more runs on a data set, a table of them, a model file. */
import { resolve } from 'node:path';
import type { Backend } from '../../src/backend/backend.ts';
import { DataError } from '../../src/core/errors.ts';
import { checkWritable, removeUnfinished, rescue, writeResult } from '../../src/core/files.ts';
import { shifted } from '../../src/data/shifted.ts';

import type { Model } from '../../src/model/model.ts';
import { dataTitle, openData } from '../common/data.ts';
import { deviation, mean, percent, print, say, seconds } from '../common/output.ts';
import { choiceOf, choiceText, heldOut, isBetter } from './choice.ts';
import { columnTable } from './column-table.ts';
import { checkCheckpoint } from './resume.ts';
import { modelFile, runsTable, type TrainedRun, type TrainOptions, trainOne } from './trained-run.ts';

export async function trainCommand(context: Backend, options: TrainOptions): Promise<void> {
  checkOptions(options);
  // A training may take hours: first make sure that its results can be written.
  if (options.out !== undefined) await checkWritable(options.out);
  if (options.checkpoint !== undefined) await checkCheckpoint(options.checkpoint);
  const { notes, columns, load } = await openData(options);
  const report = options.json ? () => {} : say;
  for (const note of notes) report(`${dataTitle(options)}: ${note}`);
  if (columns) report(columnTable(columns));
  const whole = { train: await load('train'), test: await load('test') };
  const parts = options.keep === 'best' ? { ...whole, ...heldOut(whole.train, options.heldOut) } : whole;
  const data = options.shift ? { ...parts, train: shifted(parts.train, options.shift) } : parts;
  const runs: TrainedRun[] = [];
  let chosen: { model: Model; run: TrainedRun } | undefined;
  try {
    for (let i = 0; i < options.runs; i++) {
      const seed = options.seed + i;
      const trained = await trainOne(context, options, seed, data, (epoch) =>
        report(
          `seed ${seed} ${options.solver ?? `epoch ${epoch.epoch}/${options.epochs}`}: loss ${epoch.loss.toFixed(4)}, train ${percent(epoch.accuracy)}, ` +
            `${options.keep === 'best' ? 'held out' : 'test'} ${percent(epoch.validation!.accuracy)}, ${seconds(epoch.seconds)}`,
        ),
      );
      if (!chosen || (options.keep === 'best' && isBetter(trained.run, chosen.run))) chosen = trained;
      runs.push(trained.run);
    }
  } catch (error) {
    if (chosen && options.out !== undefined) {
      const file = rescue(options.out, modelFile(chosen.model, options));
      if (file) say(`The model of seed ${chosen.run.seed}, which was trained before this error, is in ${file}.`);
    }
    throw error;
  }
  if (options.out !== undefined) {
    if (options.resume) await removeUnfinished(options.out);
    await writeResult(options.out, modelFile(chosen!.model, options));
  }
  const accuracies = runs.map((run) => run.testAccuracy);
  const choice = options.keep === 'best' ? { choice: choiceOf(runs, chosen!.run) } : {};
  const summary = {
    runs,
    meanAccuracy: mean(accuracies),
    deviation: deviation(accuracies),
    file: options.out,
    ...choice,
    ...(notes.length && { notes }),
  };
  print(options.json, summary, () => {
    const lines = [runsTable(runs), `adapter: ${runs[0]!.adapter}`];
    if (runs.length > 1) {
      lines.push(
        `test accuracy over ${runs.length} runs: ${percent(summary.meanAccuracy)} +- ${percent(summary.deviation)}`,
      );
    }
    if (choice.choice) lines.push(choiceText(choice.choice));
    if (options.out !== undefined) lines.push(`model of seed ${chosen!.run.seed}: ${options.out}`);
    return lines.join('\n');
  });
}

/** Throws `DataError` for options that do not go together. */
function checkOptions({ resume, checkpoint, out, runs, keep }: TrainOptions): void {
  if (resume && checkpoint === undefined) throw new DataError('train: expected --checkpoint FILE beside --resume');
  if (checkpoint !== undefined && runs > 1) {
    throw new DataError(
      `train: expected one run with --checkpoint, got --runs ${runs}. Train one seed after the other.`,
    );
  }
  if (keep === 'best' && runs < 2) {
    throw new DataError(`train: expected several seeds to keep the best of, got ${runs}. Add --seeds 16, for example.`);
  }
  if (out !== undefined && checkpoint !== undefined && resolve(out) === resolve(checkpoint)) {
    throw new DataError(`train: expected two different files for --out and --checkpoint, got ${out} for both`);
  }
}
