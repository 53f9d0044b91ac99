/** The card that `train` writes into a model file: which data and command made it, and how good it is. */
import { createHash } from 'node:crypto';
import { basename, isAbsolute } from 'node:path';
import { VERSION } from '../../src/core/version.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import type { ModelCard } from '../../src/model/preparation.ts';
import type { ClassificationFigures, Figures } from '../../src/train/figures.ts';
import { shellWords } from '../common/output.ts';

/** Options that say where files go or how a training was continued: the model is the same with others. */
const LEFT_OUT: Readonly<Record<string, number>> = {
  '--out': 2,
  '--checkpoint': 2,
  '--report': 2,
  '--resume': 1,
  '--json': 1,
};

/** Model files travel: a path keeps only its last part, so that it does not say whose folders it came from. */
const withoutFolders = (word: string): string => {
  const [, option = '', path = word] = /^(--[\w-]+=)(.*)$/s.exec(word) ?? [];
  return isAbsolute(path) || /^(\.\.?|~)[/\\]/.test(path) ? option + basename(path) : word;
};

/** The command that trained a model, from its words. */
export function trainingCommand(words: readonly string[]): string {
  const left: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const [name] = words[i]!.split('=', 1) as [string];
    const skipped = LEFT_OUT[name];
    if (skipped === undefined) left.push(withoutFolders(words[i]!));
    else if (name === words[i]) i += skipped - 1;
  }
  return shellWords(['weightless', ...left]);
}

/**
 * The day on which a training begins, in UTC. SOURCE_DATE_EPOCH, in seconds since 1970, replaces it where files have to
 * be the same on every day (https://reproducible-builds.org/specs/source-date-epoch/).
 */
export function today(environment: NodeJS.ProcessEnv = process.env): string {
  const { SOURCE_DATE_EPOCH: epoch } = environment;
  const seconds = epoch !== undefined && /^\d{1,11}$/.test(epoch) ? Number(epoch) : Date.now() / 1000;
  return new Date(1000 * seconds).toISOString().slice(0, 10);
}

/** SHA-256 of the rows as the model gets them: features, labels, targets, in their order. */
export function dataHash({ features, labels, targets }: Pick<DataSet, 'features' | 'labels' | 'targets'>): string {
  const hash = createHash('sha256');
  for (const part of [features, labels, targets]) {
    if (part) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  }
  return hash.digest('hex');
}

function figuresFor(figures: Trained['test']): Readonly<Record<string, number | undefined>> {
  if (!('task' in figures)) return { accuracy: figures.accuracy, 'cross-entropy': figures.loss };
  if (figures.task === 'regression') return { R2: figures.r2, MAE: figures.mae, RMSE: figures.rmse };
  if (figures.task === 'multilabel') return { 'micro F1': figures.micro.f1, 'macro F1': figures.macro.f1 };
  const { accuracy, balancedAccuracy, macro, rocAuc, calibrationError, loss } = figures;
  return {
    accuracy,
    'balanced accuracy': balancedAccuracy,
    'macro F1': macro.f1,
    'ROC AUC': rocAuc,
    'calibration error': calibrationError,
    'cross-entropy': loss,
  };
}

/** Figures of four digits, which rows like the test's would reproduce. Those that do not exist are left out. */
const rounded = (figures: Readonly<Record<string, number | undefined>>) =>
  Object.entries(figures).flatMap(([name, value]) =>
    value !== undefined && Number.isFinite(value) ? [{ name, value: Number(value.toPrecision(4)) }] : [],
  );

export interface Trained {
  readonly name: string;
  /** The rows before some of them were held out. */
  readonly data: DataSet;
  /** How many of them trained. */
  readonly rows: number;
  readonly words: readonly string[];
  readonly seed: number;
  /** The day on which the training began. */
  readonly began: string;
  /** Of the test rows: all figures, or those of classes that were measured. */
  readonly test: Figures | Pick<ClassificationFigures, 'rows' | 'accuracy' | 'loss'>;
}

export const trainCard = ({ name, data, rows, words, seed, began, test }: Trained): ModelCard => ({
  data: { name: basename(name), rows, sha256: dataHash(data) },
  command: trainingCommand(words),
  seed: String(seed),
  release: VERSION,
  date: began,
  heldOut: { rows: test.rows, figures: rounded(figuresFor(test)) },
});
