/** `weightless train` and its options. */

import { type Command, Option } from 'commander';
import { activationNames } from '../../../src/core/activations.ts';
import { pictureFits } from '../../../src/model/preparation.ts';
import { solverNames } from '../../../src/train/solver-names.ts';
import { layerNames, weightNames } from '../../common/architecture.ts';
import { index, layers, pictureSize, positive, rate, sizes, smallSeed, weightDecay } from '../option-values.ts';
import { trainCommand } from '../train.ts';
import { signalOptions, trainSignals } from '../train-signals.ts';
import { families, type TrainOptions } from '../trained-run.ts';
import { type BackendName, onBackend } from './backends.ts';
import {
  backendOption,
  columnsOption,
  dataDirOption,
  dataOption,
  dropOption,
  headerOption,
  jsonOption,
  labelOption,
  trainTaskOption,
} from './shared-options.ts';

const EXAMPLE = 'half-conv 16 5x5 same, pool 2, half-conv 32 3x3 binary, pool 2, dense 10';

/** --task has one name more than the tasks of tables. */
const isSignals = ({ task }: { task?: string }) => task === 'signals';

export function addTrainCommand(program: Command): void {
  program
    .command('train')
    .description('train a network on MNIST, another bundled data set or your own data')
    .addOption(dataOption())
    .addOption(dataDirOption())
    .addOption(labelOption())
    .addOption(trainTaskOption())
    .addOption(headerOption())
    .addOption(columnsOption())
    .addOption(dropOption())
    .addOption(
      new Option(
        '--size <HxW>',
        'pictures: height and width to resize them to (default: their own; where they differ, the most common or the ' +
          'median one)',
      ).argParser(pictureSize),
    )
    .addOption(
      new Option(
        '--fit <how>',
        'pictures of another aspect ratio. stretch: change it; letterbox: keep it and add black bars (default: stretch)',
      ).choices(pictureFits),
    )
    .addOption(
      new Option(
        '--kind <family>',
        'what is trained. half: scale and bias of each hidden unit, and the output layer; random: only the output ' +
          'layer; full: every weight',
      )
        .choices(families)
        .default('half'),
    )
    .addOption(
      new Option('--units <sizes>', 'units of each hidden layer, such as 1024 or 512,256')
        .argParser(sizes)
        .default([1024], '1024'),
    )
    .addOption(
      new Option('--weights <distribution>', 'distribution of the random weights')
        .choices(weightNames)
        .default('normal'),
    )
    .addOption(
      new Option('--activation <name>', 'activation of the hidden layers').choices(activationNames).default('relu'),
    )
    .addOption(
      new Option(
        '--layers <text>',
        `the whole network, in place of --kind, --units, --weights and --activation; for example "${EXAMPLE}". ` +
          `Layers: ${layerNames.join(', ')}`,
      ).argParser(layers),
    )
    .addOption(
      new Option(
        '--from <file>',
        'train this model further, with the trained values that it has, instead of a new network. --seed sets only the ' +
          'order of the rows',
      ).conflicts(['kind', 'units', 'weights', 'activation', 'layers', 'checkpoint']),
    )
    .option(
      '--shift <pixels>',
      'also train on copies of the images moved up, down, left and right by this many pixels; epochs take five times ' +
        'as long',
      positive,
    )
    .option('--epochs <n>', 'passes over the training data', positive, 10)
    .option('--batch <n>', 'rows in a batch', positive, 128)
    .option('--rate <x>', 'learning rate of Adam', rate, 0.004)
    .option(
      '--weight-decay <x>',
      'share of the weights that a step takes away, times the learning rate (AdamW)',
      weightDecay,
    )
    .addOption(
      new Option('--schedule <name>', 'schedule of the learning rate')
        .choices(['constant', 'cosine'])
        .default('cosine'),
    )
    .addOption(
      new Option(
        '--solver <name>',
        'solve the output layer in one pass (ridge) or a few (logistic), instead of gradient descent; for networks of ' +
          'which only the output layer is trained, such as --kind random',
      )
        .choices(solverNames)
        .conflicts(['epochs', 'batch', 'rate', 'weightDecay', 'schedule', 'checkpoint']),
    )
    .option('--seed <n>', 'seed of the random weights, the initial weights and the order of the rows', smallSeed, 0)
    .option(
      '--seeds, --runs <n>',
      'train this many networks, with consecutive seeds, and report mean and standard deviation',
      positive,
      1,
    )
    .addOption(
      new Option(
        '--keep <which>',
        'with several seeds, which model --out gets. best: the highest score on the validation rows',
      )
        .choices(['first', 'best'])
        .default('first'),
    )
    .option(
      '--held-out <rows>',
      'number of training rows to hold out for validation, about (default: a tenth). They choose the best epoch; with 0, ' +
        'all rows train and the last epoch is kept',
      index,
    )
    .option('--patience <epochs>', 'stop after so many epochs without a smaller validation loss', positive)
    .addOption(
      new Option(
        '--class-weights <how>',
        'balanced: rare classes count as much as frequent ones (default: every row counts the same)',
      ).choices(['balanced']),
    )
    .option('--checkpoint <file>', 'after each epoch, save everything that training needs to continue')
    .option('--resume', 'continue from --checkpoint, if that file exists; the result is the same, bit for bit')
    .option('--report <file>', 'write an HTML page with learning curves, figures, confusion and wrong examples')
    .option('--out <file>', 'write the model to this file (safetensors)')
    .option('--no-card', 'leave out of the model file which data and command made it, when, and its test figures')
    .addOption(
      new Option('--dtype <name>', 'number format of the model file; F16 halves its size, I8 quarters it')
        .choices(['F32', 'F16', 'I8'])
        .default('F32'),
    )
    .addOption(backendOption())
    .addOption(jsonOption())
    .action(({ backend, ...options }: TrainOptions & { backend: BackendName }, command: Command) => {
      if (!isSignals(options)) return onBackend(backend, (context) => trainCommand(context, options));
      const idle = command.options.filter(
        (option) =>
          command.getOptionValueSource(option.attributeName()) === 'cli' &&
          !signalOptions.includes(option.attributeName()),
      );
      if (idle.length) {
        const names = idle.map(({ long }) => long).join(', ');
        command.error(`error: --task signals has no use for ${names}: leave them out`);
      }
      return onBackend(backend, (context) => trainSignals(context, options));
    });
}
