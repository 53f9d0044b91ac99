/** Options that several commands take. */

import { Option } from 'commander';
import { tasks } from '../../../src/model/preparation.ts';
import { dataNames } from '../../common/data.ts';
import { names, yesOrNo } from '../option-values.ts';

export const dataOption = () => new Option('--data <name>', 'data set').choices(dataNames).default('mnist');

export const dataDirOption = () =>
  new Option(
    '--data-dir <folder>',
    'your own data: CSV (train.csv, test.csv), JSON lines (train.jsonl), PNG and JPEG (train/CLASS/*.jpg, ' +
      'test/CLASS/*.jpg) or IDX (the file names of MNIST). Without a test part, about a fifth of the rows is held out for testing',
  );

export const labelOption = () =>
  new Option(
    '--label <column>',
    'CSV: name or number (from 1) of the label column (default: the column named label, class or target; else the ' +
      'last). Several targets of a regression: a,b',
  );

export const taskOption = () =>
  new Option(
    '--task <name>',
    'CSV: what the label is (default: chosen from the data). classification: one class; multilabel: any number of labels, ' +
      'such as urgent;billing; regression: numbers to predict',
  ).choices(tasks);

export const trainTaskOption = () => {
  const tables = taskOption();
  return new Option(
    tables.flags,
    `${tables.description}. signals: time series, classified by random convolutions and a ridge regression; --data-dir ` +
      'holds NAME_TRAIN and NAME_TEST as .ts, .arff, .csv or .tsv',
  ).choices([...tasks, 'signals']);
};

export const headerOption = () =>
  new Option('--header <yes|no>', 'CSV: whether the first row holds column names (default: detected)').argParser(
    yesOrNo,
  );

export const columnsOption = () =>
  new Option(
    '--columns <list>',
    'CSV: names or numbers of the columns that become inputs, separated by commas (default: all)',
  ).argParser(names);

export const dropOption = () =>
  new Option(
    '--drop <list>',
    'CSV: names or numbers of columns to leave out, such as an id, separated by commas',
  ).argParser(names);

export const jsonOption = () => new Option('--json', 'print JSON instead of tables');

export const backendOption = () =>
  new Option(
    '--backend <name>',
    'where to compute. fastest: on the GPU, or on the CPU if WebGPU is missing or a software driver; cpu: bit-identical ' +
      'results on every machine',
  )
    .choices(['webgpu', 'cpu', 'fastest'])
    .default('fastest');

export const modelArgument = ['<model>', 'model file (.safetensors)'] as const;
