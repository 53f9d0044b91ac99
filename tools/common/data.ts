/** The data sets of the command line: by name, or one's own in a folder. */

import { DataError } from '../../src/core/errors.ts';
import type { ColumnNote } from '../../src/data/column-notes.ts';
import type { DataSet } from '../../src/data/dataset.ts';
import { type DomainName, domainNames, domains } from '../../src/data/domains.ts';
import { installFashionMnist, loadFashionMnist } from '../../src/data/fashion-mnist.ts';
import { type FolderOptions, folderOptions, openFolder } from '../../src/data/folder.ts';
import type { Part } from '../../src/data/idx-folder.ts';
import type { TablePreparation } from '../../src/data/labelled-table.ts';
import { loadMnist } from '../../src/data/mnist.ts';
import { type SignalData, signalData } from '../../src/data/signal-data.ts';
import { openSignalFolder, type SignalParts } from '../../src/data/signal-folder.ts';
import {
  makeSyntheticSignals,
  type SyntheticSignals,
  syntheticSignalNames,
  syntheticSignals,
} from '../../src/data/synthetic-signals.ts';
import type { ImageInputs, SignalInputs } from '../../src/model/preparation.ts';
import { say } from './output.ts';

export const dataNames = ['mnist', 'fashion-mnist', ...domainNames, ...syntheticSignalNames] as const;

export interface DataChoice extends FolderOptions {
  data?: (typeof dataNames)[number];
  /** Wins over `data`. */
  dataDir?: string;
}

export interface OpenedData {
  /** What was taken for what, for people. */
  readonly notes: readonly string[];
  /** Tables: what was made of each column. */
  readonly columns?: readonly ColumnNote[];
  load(part: Part): Promise<DataSet>;
  /** CSV: the rows of another file as inputs. Throws `DataError`. */
  inputs?(file: Uint8Array, name: string): Float32Array<ArrayBuffer>;
}

const isDomain = (name: string | undefined): name is DomainName => domainNames.some((one) => one === name);

const isSynthetic = (name: string | undefined): name is SyntheticSignals =>
  syntheticSignalNames.some((one) => one === name);

/** What stands in messages and tables. */
export const dataTitle = ({ data = 'mnist', dataDir }: DataChoice): string => dataDir ?? data;

/** Labelled time series: generated ones, or those in a folder. `model`: what a trained model makes of them. Throws `DataError`. */
export const openSignals = async (choice: DataChoice, model?: SignalInputs): Promise<SignalData> =>
  signalData(await openSeries(choice), model);

/** The same as series, as they come. Throws `DataError`. */
export async function openSeries(choice: DataChoice): Promise<SignalParts> {
  const { data, dataDir, label, header } = choice;
  if (dataDir !== undefined) {
    const options = { ...(label !== undefined && { label }), ...(header !== undefined && { header }) };
    return openSignalFolder(dataDir, options);
  }
  if (isSynthetic(data)) return makeSyntheticSignals(data);
  throw new DataError(
    `expected signals: --data-dir FOLDER, or --data ${syntheticSignalNames.join(' or ')}; got --data ${dataTitle(choice)}`,
  );
}

/** `model`: what a trained model makes of pictures, signals or tables. Throws `DataError`. */
export async function openData(
  choice: DataChoice,
  model?: ImageInputs | SignalInputs | TablePreparation,
): Promise<OpenedData> {
  const { data, dataDir } = choice;
  const options: { -readonly [K in keyof FolderOptions]: FolderOptions[K] } = {};
  for (const name of folderOptions) if (choice[name] !== undefined) Object.assign(options, { [name]: choice[name] });
  if (model && 'kind' in model && model.kind === 'signal') {
    const parts = await openSignals(choice, model);
    return { notes: [], load: async (part) => parts[part] };
  }
  if (dataDir) return openFolder(dataDir, options, model);
  const given = Object.keys(options).map((name) => `--${name}`);
  if (given.length) {
    throw new DataError(
      `expected --data-dir FOLDER with ${given.join(' and ')}, got bundled data. Name a folder, or leave them out.`,
    );
  }
  if (isDomain(data)) {
    const { notes, ...parts } = domains[data].load(say);
    return { notes: [domains[data].title, ...notes], load: async (part) => parts[part] };
  }
  if (isSynthetic(data)) {
    const parts = await openSignals(choice);
    return { notes: [syntheticSignals[data].title], load: async (part) => parts[part] };
  }
  if (data !== 'fashion-mnist') return { notes: [], load: (part) => loadMnist(part) };
  installFashionMnist(say);
  return { notes: [], load: (part) => loadFashionMnist(part) };
}

/** One part. Throws `DataError`. */
export const loadData = async (choice: DataChoice, part: Part): Promise<DataSet> => (await openData(choice)).load(part);
