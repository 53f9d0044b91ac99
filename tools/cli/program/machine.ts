/** Commands that need no model file: random weights, checks of this machine, the main job. */

import { type Command, Option } from 'commander';
import { WeightlessError } from '../../../src/core/errors.ts';
import { distributionNames } from '../../../src/weights/distributions.ts';
import { conformanceCommand } from '../conformance.ts';
import { doctorCommand } from '../doctor.ts';
import { anySeed, index, MOST_WEIGHTS, positive, range } from '../option-values.ts';
import { startCommand } from '../start.ts';
import { weightsCommand } from '../weights.ts';
import { onBackend, onGpu } from './backends.ts';
import { jsonOption } from './shared-options.ts';

export function addMachineCommands(program: Command): void {
  program
    .command('weights')
    .description('print any slice of any random weight matrix as integers, one row for each input')
    .option('--seed <n>', 'seed of the model', anySeed, 0)
    .option('--tensor <n>', 'number of the matrix in the model (the index of its layer)', index, 0)
    .addOption(
      new Option('--distribution <name>', 'distribution of the weights').choices(distributionNames).default('normal'),
    )
    .addOption(new Option('--inputs <from:to>', 'rows to print').argParser(range).default([0, 8], '0:8'))
    .addOption(new Option('--units <from:to>', 'columns to print').argParser(range).default([0, 8], '0:8'))
    .option('--fan-in <n>', 'inputs of the layer, which set the scale (default: the end of --inputs)', positive)
    .addOption(new Option('--device <name>', 'where to generate').choices(['cpu', 'gpu']).default('cpu'))
    .addOption(jsonOption())
    .action(async ({ device, ...options }) => {
      const [inputs, units] = [options.inputs, options.units] as [[number, number], [number, number]];
      const asked = (inputs[1] - inputs[0]) * (units[1] - units[0]);
      if (asked > MOST_WEIGHTS) {
        throw new WeightlessError(
          `weights: expected a slice of at most ${MOST_WEIGHTS} weights, got ${asked}. Print a smaller slice.`,
        );
      }
      const full = { ...options, fanIn: options.fanIn ?? inputs[1] };
      if (device === 'cpu') await weightsCommand(undefined, full);
      else await onGpu((context) => weightsCommand(context, full));
    });

  program
    .command('doctor')
    .description('list what this machine offers to compute on, and how to get what is missing')
    .addOption(jsonOption())
    .action(async (options) => {
      if (!(await doctorCommand(options))) process.exitCode = 1;
    });

  program
    .command('conformance')
    .description("check every kernel against its reference on this machine's device; attach the report to a bug report")
    .option('--filter <text>', 'run only the checks whose names contain this text')
    .addOption(jsonOption())
    .action((options) =>
      onGpu(async (context) => {
        if (!(await conformanceCommand(context, options))) process.exitCode = 1;
      }),
    );
}

export function addStartCommand(program: Command): void {
  program
    .command('start')
    .description(
      'train a half, a random and a full network on all of MNIST, compare them, and check the half one on WebGPU',
    )
    .option('--epochs <n>', 'passes over the training data', positive, 4)
    .addOption(jsonOption())
    .action((options) => onBackend('fastest', (context) => startCommand(context, options)));
}
