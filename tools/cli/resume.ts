/** Checkpoints of the command line: which training they belong to, and how one is resumed. */
import { existsSync, statSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { DataError, WriteError } from '../../src/core/errors.ts';
import { checkWritable, removeUnfinished } from '../../src/core/files.ts';
import { readInput } from '../../src/core/read-input.ts';
import { fileLimits } from '../../src/model/limits.ts';
import { type Checkpoint, readCheckpoint } from '../../src/train/checkpoint.ts';
import type { EpochReport } from '../../src/train/fit.ts';
import { type DataChoice, dataTitle } from '../common/data.ts';

/** The note in a checkpoint. */
export interface TrainingNote {
  /** The options that a resumed training shares with the one that wrote the checkpoint. */
  readonly training: Training;
  readonly history: readonly EpochReport[];
  /** The day on which the training began; absent in files of earlier versions. */
  readonly began?: string;
}

type Training = Readonly<Record<string, unknown>>;

/** The name of the data, or the absolute path of its folder: one folder may be named by several paths. */
export const dataIdentity = (choice: DataChoice): Promise<string> =>
  choice.dataDir === undefined ? Promise.resolve(dataTitle(choice)) : absolute(choice.dataDir);

const absolute = (path: string): Promise<string> => realpath(path).catch(() => path);

/** Asked before a training starts. A checkpoint is read again, so it has to be a file. Throws `WriteError`. */
export async function checkCheckpoint(path: string): Promise<void> {
  await checkWritable(path);
  if (!existsSync(path) || statSync(path).isFile()) return;
  throw new WriteError(`${path}: expected a file for the checkpoint, got a device or a pipe. Name a file.`);
}

/** The checkpoint to resume from, if there is one. Throws `DataError` if it is of another training, or without `resume`. */
export async function resumed(
  file: string,
  resume: boolean | undefined,
  training: Training,
): Promise<Checkpoint | undefined> {
  if (resume) await removeUnfinished(file);
  if (!existsSync(file)) return undefined;
  if (!resume) {
    throw new DataError(
      `${file}: expected no checkpoint yet, found one. Add --resume to continue from it, or remove it.`,
    );
  }
  const checkpoint = readCheckpoint(await readInput(file, fileLimits.bytes));
  const found: Training = (checkpoint.note as Partial<TrainingNote> | null)?.training ?? {};
  const { data } = found;
  const moved = typeof data === 'string' && data !== training.data ? { data: await absolute(data) } : {};
  const there: Training = { ...found, ...moved };
  const names = new Set([...Object.keys(training), ...Object.keys(there)]);
  const differing = [...names].filter((name) => JSON.stringify(there[name]) !== JSON.stringify(training[name]));
  if (!differing.length) return checkpoint;
  const differences = (side: Training) =>
    JSON.stringify(Object.fromEntries(differing.map((name) => [name, side[name]])));
  throw new DataError(
    `${file}: expected a checkpoint of the training ${differences(training)}, got one of ${differences(there)}. ` +
      'Repeat the options of the training that wrote it, or name another file.',
  );
}
