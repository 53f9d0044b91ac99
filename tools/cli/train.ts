/** `weightless train`: one or more runs on a data set, a table of them, a model file. */
import { resolve } from 'node:path';
import type { Backend } from '../../src/backend/backend.ts';
import { DataError } from '../../src/core/errors.ts';
import { checkWritable, removeUnfinished, rescue, writeResult } from '../../src/core/files.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import { shifted } from '../../src/data/shifted.ts';
import { splitByContent } from '../../src/data/split.ts';
import { setCard } from '../../src/model/preparation-metadata.ts';
import { allOutputs } from '../../src/train/figures.ts';
import type { EpochReport } from '../../src/train/fit.ts';
import { dataTitle, openData } from '../common/data.ts';
import { commandLine, count, deviation, mean, percent, print, say, seconds } from '../common/output.ts';
import { prepareReport } from '../experiments/page.ts';
import { choiceOf, choiceText, isBetter } from './choice.ts';
import { columnTable } from './column-table.ts';
import { figuresJson, figuresText, namesOf, scoreOf } from './figures.ts';
import { checkCheckpoint } from './resume.ts';
import { trainCard } from './train-card.ts';
import { openStart } from './train-from.ts';
import { modelFile, runsTable, type TrainedRun, type TrainOptions, trainOne } from './trained-run.ts';

export async function trainCommand(context: Backend, options: TrainOptions): Promise<void> {
  checkOptions(options);
  // A training may take hours: first make sure that its results can be written.
  if (options.out !== undefined) await checkWritable(options.out);
  if (options.checkpoint !== undefined) await checkCheckpoint(options.checkpoint);
  if (options.report !== undefined) await prepareReport(options.report);
  const from = options.from === undefined ? undefined : await openStart(options.from, options);
  const { notes, columns, load } = await openData(options, from?.inputs);
  const report = options.json ? () => {} : say;
  const loaded = { train: await load('train'), test: await load('test') };
  for (const note of notes) report(`${dataTitle(options)}: ${note}`);
  if (columns) report(columnTable(columns));
  const whole = from ? { train: from.rows(loaded.train), test: from.rows(loaded.test) } : loaded;
  const parts = { ...whole, ...heldOut(whole.train, options, report) };
  const data = options.shift ? { ...parts, train: shifted(parts.train, options.shift) } : parts;
  const names = namesOf(whole.train);
  const runs: TrainedRun[] = [];
  let chosen: Awaited<ReturnType<typeof trainOne>> | undefined;
  try {
    for (let i = 0; i < options.runs; i++) {
      const seed = options.seed + i;
      const onEpoch = (epoch: EpochReport) =>
        report(`seed ${seed} ${options.solver ?? `epoch ${epoch.epoch}/${options.epochs}`}: ${epochText(epoch)}`);
      const trained = await trainOne(context, options, seed, data, onEpoch, undefined, from?.model());
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
  if (options.card !== false) {
    const { model, run, began } = chosen!;
    const rows = parts.train.rows;
    const source = { name: dataTitle(options), data: whole.train, rows, words: process.argv.slice(2) };
    setCard(model, trainCard({ ...source, seed: run.seed, began, test: run.test }));
  }
  if (options.out !== undefined) {
    if (options.resume) await removeUnfinished(options.out);
    const file = modelFile(chosen!.model, options);
    runs[runs.indexOf(chosen!.run)] = { ...chosen!.run, modelBytes: file.length };
    await writeResult(options.out, file);
  }
  if (options.report !== undefined) {
    const { writeTrainReport } = await import('./train-report.ts');
    const { model, run } = chosen!;
    const outputs = await allOutputs(context, model, whole.test);
    const data = { data: dataTitle(options), test: whole.test, outputs, names, notes };
    await writeTrainReport(options.report, { ...data, run, command: commandLine() });
  }
  const scores = runs.map(({ test }) => scoreOf(test).value);
  const score = scoreOf(chosen!.run.test);
  const choice = options.keep === 'best' ? { choice: choiceOf(runs, chosen!.run) } : {};
  const summary = {
    runs: runs.map(({ before, ...run }) => ({
      ...run,
      test: figuresJson(run.test, names),
      ...(before && { before: figuresJson(before, names) }),
    })),
    score: score.name,
    meanScore: mean(scores),
    ...(score.name === 'accuracy' && { meanAccuracy: mean(scores) }),
    deviation: deviation(scores),
    file: options.out,
    ...(options.report !== undefined && { report: options.report }),
    ...choice,
    ...(notes.length && { notes }),
  };
  print(options.json, summary, () => {
    const lines = [runsTable(runs), `adapter: ${runs[0]!.adapter}`, figuresText(chosen!.run.test, names)];
    if (runs.length > 1) {
      const text = (value: number) => (score.name === 'R2' ? value.toFixed(4) : percent(value));
      lines.push(
        `test ${score.name} over ${runs.length} runs: ${text(summary.meanScore)} +- ${text(summary.deviation)}`,
      );
    }
    const { before } = chosen!.run;
    if (before) lines.push(`test ${score.name} of ${options.from} before this training: ${scoreOf(before).text}`);
    if (choice.choice) lines.push(choiceText(choice.choice));
    if (options.report !== undefined) lines.push(`report: ${options.report}`);
    if (options.out !== undefined) lines.push(`model of seed ${chosen!.run.seed}: ${options.out}`);
    return lines.join('\n');
  });
}

/** Loss and accuracy of an epoch in a line. A regression has no accuracy. */
export function epochText({ epoch, loss, accuracy, validation, best, seconds: took }: EpochReport): string {
  const right = (value: number) => (Number.isNaN(value) ? '' : ` (${percent(value)} right)`);
  const held = validation ? `, validation loss ${validation.loss.toFixed(4)}${right(validation.accuracy)}` : '';
  const mark = best === epoch ? ', best so far' : '';
  return `loss ${loss.toFixed(4)}${right(accuracy)}${held}, ${seconds(took)}${mark}`;
}

/** The default share of the training rows that is held out for validation. */
const VALIDATION_SHARE = 0.1;

/** Fewer validation rows than these differ more by chance than by epoch. */
const FEW_ROWS = 50;

/** Training and validation rows; only training rows where none are to be held out, or where there are too few. Throws `DataError`. */
function heldOut(
  train: DataSet,
  { heldOut: asked, keep, solver, seed }: TrainOptions,
  report: (line: string) => void,
): { train: DataSet; validation?: DataSet } {
  const rows = asked ?? (solver && keep !== 'best' ? 0 : undefined); // a solver takes one step: no epoch is to be chosen
  if (rows === 0) return { train };
  if (rows !== undefined && rows >= train.rows) {
    throw new DataError(`train: expected --held-out of at most ${train.rows - 1} of ${train.rows} rows, got ${rows}`);
  }
  try {
    const share = rows === undefined ? VALIDATION_SHARE : rows / train.rows;
    const parts = splitByContent(train, { share, seed });
    report(
      `validation: ${count(parts.validation.rows)} of ${count(train.rows)} training rows are held out, to choose the best epoch`,
    );
    if (rows === undefined && parts.validation.rows < FEW_ROWS) {
      report(
        `warning: ${count(parts.validation.rows)} rows hardly tell which epoch is best. --held-out 0 trains on all rows and keeps the last epoch`,
      );
    }
    return parts;
  } catch (error) {
    if (rows !== undefined || !(error instanceof DataError)) throw error;
    report('validation: too few training rows to hold some out. The model of the last epoch is kept.');
    return { train };
  }
}

/** Throws `DataError` for options that do not go together. */
function checkOptions(options: TrainOptions): void {
  const { resume, checkpoint, out, report, runs, keep, heldOut, patience, solver, classWeights } = options;
  if (solver && (patience !== undefined || classWeights)) {
    const option = classWeights ? '--class-weights' : '--patience';
    throw new DataError(
      `train: expected gradient descent beside ${option}, got --solver ${solver}. Leave one of them out.`,
    );
  }
  if (heldOut === 0 && (patience !== undefined || keep === 'best')) {
    const option = keep === 'best' ? '--keep best' : '--patience';
    throw new DataError(`train: expected validation rows beside ${option}, got --held-out 0. Leave one of them out.`);
  }
  if (resume && checkpoint === undefined) throw new DataError('train: expected --checkpoint FILE beside --resume');
  if (checkpoint !== undefined && runs > 1) {
    throw new DataError(
      `train: expected one run with --checkpoint, got --runs ${runs}. Train one seed after the other.`,
    );
  }
  if (keep === 'best' && runs < 2) {
    throw new DataError(`train: expected several seeds to keep the best of, got ${runs}. Add --seeds 16, for example.`);
  }
  const written = Object.entries({ out, checkpoint, report }).flatMap(([name, file]) =>
    file === undefined ? [] : [[name, file] as const],
  );
  for (const [i, [name, file]] of written.entries()) {
    const same = written.slice(i + 1).find(([, other]) => resolve(other) === resolve(file));
    if (same)
      throw new DataError(`train: expected two different files for --${name} and --${same[0]}, got ${file} for both`);
  }
}
