/** The commands of the command line, and their options. */

import { Command, Option } from 'commander';
import type { Backend } from '../../src/backend/backend.ts';
import { registerConvolutions } from '../../src/convolution.ts';
import { activationNames } from '../../src/core/activations.ts';
import { NoAdapterError, WeightlessError } from '../../src/core/errors.ts';
import { VERSION } from '../../src/core/version.ts';
import { registerFields } from '../../src/fields.ts';
import type { Context } from '../../src/gpu/context.ts';
import { nodeGpu } from '../../src/node.ts';
import { type ContextOptions, createContext } from '../../src/open.ts';
import { distributionNames } from '../../src/weights/distributions.ts';
import { layerNames, weightNames } from '../common/architecture.ts';
import { dataNames } from '../common/data.ts';
import { writeErr, writeOut } from '../common/output.ts';
import type { BackendChoice } from '../experiments/lab.ts';
import { experimentNames } from '../experiments/table.ts';
import { workerCommand } from '../experiments/worker.ts';
import { conformanceCommand } from './conformance.ts';
import { doctorCommand } from './doctor.ts';
import { type ExperimentOptions, experimentCommand } from './experiment.ts';
import { exportCommand } from './export.ts';
import { evalCommand, inspectCommand } from './model-commands.ts';
import {
  anySeed,
  index,
  layers,
  MOST_WEIGHTS,
  names,
  positive,
  range,
  rate,
  shard,
  sizes,
  smallSeed,
  yesOrNo,
} from './option-values.ts';
import { predictCommand } from './predict.ts';
import { startCommand } from './start.ts';
import { trainCommand } from './train.ts';
import { families, type TrainOptions } from './trained-run.ts';
import { weightsCommand } from './weights.ts';

registerConvolutions(); // models of any kind are read
registerFields();

async function onGpu(work: (context: Context) => Promise<void>): Promise<void> {
  const context = await createContext({ gpu: await nodeGpu() });
  await work(context);
}

type BackendOption = NonNullable<ContextOptions['backend']>;

/** Node's WebGPU. None is no error where the CPU may compute instead. */
async function someGpu(name: BackendOption): Promise<{ gpu?: GPU }> {
  try {
    return { gpu: await nodeGpu() };
  } catch (error) {
    if (name === 'fastest' && error instanceof NoAdapterError) return {};
    throw error;
  }
}

async function onBackend(name: BackendOption, work: (context: Backend) => Promise<void>): Promise<void> {
  const context = await createContext({ backend: name, ...(name !== 'cpu' && (await someGpu(name))) });
  try {
    await work(context);
  } finally {
    context.dispose();
  }
}

export function buildProgram(): Command {
  const program = new Command('weightless')
    .description('Neural networks whose random weights are never stored: train, evaluate and look inside them.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut, writeErr })
    .showHelpAfterError('(add --help for the options)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 failed; 2 wrong usage; 130 an experiment was interrupted.\nWEIGHTLESS_DEBUG=1 prints the stack of an unexpected error.',
    );
  const data = () => new Option('--data <name>', 'data set').choices(dataNames).default('mnist');
  const dataDir = () =>
    new Option(
      '--data-dir <folder>',
      'your own data: train.csv and test.csv, or PNG files as train/CLASS/*.png and test/CLASS/*.png (without a test part a fifth is kept for it), or IDX files named as those of MNIST',
    );
  const label = () =>
    new Option(
      '--label <column>',
      "CSV: the label's column, by its name or its number from 1 (default: label, class or target, else the last)",
    );
  const header = () =>
    new Option('--header <yes|no>', 'CSV: whether the first row names the columns (default: looked at)').argParser(
      yesOrNo,
    );
  const json = () => new Option('--json', 'print JSON instead of a table');
  const backend = () =>
    new Option(
      '--backend <name>',
      'what computes; fastest: the GPU, or cpu where WebGPU is missing or software; cpu: the same bits on every machine',
    )
      .choices(['webgpu', 'cpu', 'fastest'])
      .default('fastest');

  program
    .command('train')
    .description('train on MNIST, Fashion-MNIST or your own data')
    .addOption(data())
    .addOption(dataDir())
    .addOption(label())
    .addOption(header())
    .addOption(
      new Option(
        '--kind <family>',
        'half: scale and bias of each hidden unit; random: output layer only; full: everything',
      )
        .choices(families)
        .default('half'),
    )
    .addOption(
      new Option('--units <sizes>', 'hidden layers, e.g. 1024 or 512,256').argParser(sizes).default([1024], '1024'),
    )
    .addOption(new Option('--weights <distribution>', 'of the random weights').choices(weightNames).default('normal'))
    .addOption(new Option('--activation <name>', 'of the hidden layers').choices(activationNames).default('relu'))
    .addOption(
      new Option(
        '--layers <text>',
        `the whole network instead, e.g. "half-conv 16 5x5 same, pool 2, half-conv 32 3x3 binary, pool 2, dense 10"; layers: ${layerNames.join(', ')}`,
      ).argParser(layers),
    )
    .option(
      '--shift <pixels>',
      'train on copies of the images too, moved by so many pixels up, down, left and right: an epoch is five times as long',
      positive,
    )
    .option('--epochs <n>', 'passes over the training images', positive, 10)
    .option('--batch <n>', 'images a step', positive, 128)
    .option('--rate <x>', 'learning rate of Adam', rate, 0.004)
    .addOption(
      new Option('--schedule <name>', 'of the learning rate').choices(['constant', 'cosine']).default('cosine'),
    )
    .option('--seed <n>', 'of the random weights, the start and the order of the images', smallSeed, 0)
    .option('--seeds, --runs <n>', 'repeat with seeds seed, seed + 1, ...: mean and standard deviation', positive, 1)
    .addOption(
      new Option(
        '--keep <which>',
        'the model of several seeds that --out gets; best: by rows held out of the training data',
      )
        .choices(['first', 'best'])
        .default('first'),
    )
    .option('--held-out <rows>', 'how many rows --keep best holds out (default: one in twelve)', positive)
    .option(
      '--checkpoint <file>',
      'written whole after each epoch: the network and all that it takes to go on with its training',
    )
    .option('--resume', 'go on from that checkpoint, if it is there, to the same bits as without the interruption')
    .option('--out <file>', 'model file (safetensors) of the first run, or of the best')
    .addOption(
      new Option('--dtype <name>', 'of the numbers in that file; F16 takes half the bytes, I8 a quarter')
        .choices(['F32', 'F16', 'I8'])
        .default('F32'),
    )
    .addOption(backend())
    .addOption(json())
    .action(({ backend, ...options }: TrainOptions & { backend: BackendOption }) =>
      onBackend(backend, (context) => trainCommand(context, options)),
    );

  program
    .command('eval')
    .description('accuracy of a model file on test data')
    .argument('<model>', 'a .safetensors file')
    .addOption(data())
    .addOption(dataDir())
    .addOption(backend())
    .addOption(label())
    .addOption(header())
    .addOption(json())
    .action((file: string, { backend, ...options }) =>
      onBackend(backend, (context) => evalCommand(context, file, options)),
    );

  program
    .command('predict')
    .description('class of each picture, or of each row of a CSV file')
    .argument('<model>', 'a .safetensors file')
    .argument('<inputs...>', 'PNG files of any size; with --data-dir of CSV data, CSV files with its columns')
    .addOption(
      new Option(
        '--data-dir <folder>',
        'CSV: the data that the model was trained on, whose columns say how rows are read',
      ),
    )
    .addOption(label())
    .addOption(header())
    .addOption(
      new Option(
        '--invert <when>',
        'turn dark ink on paper into light on dark (default: auto; no for a model of your own pictures)',
      ).choices(['auto', 'yes', 'no']),
    )
    .addOption(backend())
    .addOption(json())
    .action((file: string, inputs: string[], { backend, invert, ...options }) =>
      onBackend(backend, (context) =>
        predictCommand(context, file, inputs, {
          ...options,
          ...(invert && { invert: invert === 'auto' ? 'auto' : invert === 'yes' }),
        }),
      ),
    );

  program
    .command('inspect')
    .description('layers, seed and sizes of a model file')
    .argument('<model>', 'a .safetensors file')
    .addOption(json())
    .action((file: string, options) => inspectCommand(file, options));

  program
    .command('export')
    .description('a model for other runtimes: ONNX, or a Python program that predicts')
    .argument('<model>', 'a .safetensors file')
    .option('--onnx <file>', 'write an ONNX file (opset 18)')
    .addOption(
      new Option(
        '--weights <how>',
        'random weights of that file: generated by integer operators, so that it stays small, or stored as f32',
      )
        .choices(['generated', 'stored'])
        .default('generated'),
    )
    .option('--numpy-check <file>', 'write a Python program (standard library only) that predicts from the model file')
    .addOption(json())
    .action((file: string, options) => exportCommand(file, options));

  program
    .command('weights')
    .description('any slice of any random weight matrix: integers, one row an input')
    .option('--seed <n>', 'model seed', anySeed, 0)
    .option('--tensor <n>', 'number of the matrix in its model (the index of its layer)', index, 0)
    .addOption(new Option('--distribution <name>').choices(distributionNames).default('normal'))
    .addOption(new Option('--inputs <from:to>').argParser(range).default([0, 8], '0:8'))
    .addOption(new Option('--units <from:to>').argParser(range).default([0, 8], '0:8'))
    .option('--fan-in <n>', 'inputs of the whole layer, for the scale (default: the end of --inputs)', positive)
    .addOption(new Option('--device <name>', 'who computes').choices(['cpu', 'gpu']).default('cpu'))
    .addOption(json())
    .action(async ({ device, ...options }) => {
      const [inputs, units] = [options.inputs, options.units] as [[number, number], [number, number]];
      const asked = (inputs[1] - inputs[0]) * (units[1] - units[0]);
      if (asked > MOST_WEIGHTS) {
        throw new WeightlessError(
          `weights: expected a slice of at most ${MOST_WEIGHTS} weights, got ${asked}. Ask for less at a time.`,
        );
      }
      const full = { ...options, fanIn: options.fanIn ?? inputs[1] };
      if (device === 'cpu') await weightsCommand(undefined, full);
      else await onGpu((context) => weightsCommand(context, full));
    });

  program
    .command('doctor')
    .description('adapters that this machine offers, and how to get one that is missing')
    .addOption(json())
    .action(async (options) => {
      if (!(await doctorCommand(options))) process.exitCode = 1;
    });

  program
    .command('conformance')
    .description("every kernel against its twin on this machine's device: a report to attach to a bug")
    .option('--filter <text>', 'only the checks whose names hold this text')
    .addOption(json())
    .action((options) =>
      onGpu(async (context) => {
        if (!(await conformanceCommand(context, options))) process.exitCode = 1;
      }),
    );

  const runsOn = () =>
    new Option('--backend <name>', 'auto: a real GPU, else the CPU').choices(['auto', 'cpu', 'webgpu']).default('auto');

  program
    .command('experiment')
    .description('many runs, their table and report; a stopped one goes on where it was')
    .argument('<name>', `one of ${experimentNames.join(', ')}`)
    .option('--runs <n>', 'seeds of each network (default: 5 in most)', positive)
    .option('--quick', 'few rows and epochs: to see it work')
    .addOption(json())
    .option('--report <file>', 'write an HTML page with tables and charts')
    .addOption(new Option('--shard <i/n>', 'every n-th run, from the i-th on: for several machines').argParser(shard))
    .option('--merge [files...]', 'gather the runs of these files, or of all shards, in the results file')
    .option('--jobs <n>', 'processes (default: one for each core, or one for the GPU)', positive)
    .option('--out <file>', 'where results go, a line a run (default: experiments/results/NAME.jsonl)')
    .option('--only <text>', 'only the runs whose key holds this text')
    .addOption(new Option('--data <names>', "data sets instead of the experiment's own").argParser(names))
    .addOption(dataDir())
    .option('--no-run', 'make no runs: table and report of what the results file holds')
    .addOption(runsOn())
    .action((name: string, options: ExperimentOptions) => experimentCommand(name, options));

  program
    .command('experiment-worker', { hidden: true })
    .argument('<name>')
    .addOption(runsOn())
    .action((name: string, { backend }: { backend: BackendChoice }) => workerCommand(name, backend));

  program
    .command('start')
    .description('the main job: a half network against a fully random one on all of MNIST')
    .option('--epochs <n>', 'passes over the training images', positive, 4)
    .addOption(json())
    .action((options) => onGpu((context) => startCommand(context, options)));
  return program;
}
