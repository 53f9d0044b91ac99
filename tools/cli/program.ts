/** The command line: its commands, in the order in which `--help` lists them. */

import { Command } from 'commander';
import { registerConvolutions } from '../../src/convolution.ts';
import { VERSION } from '../../src/core/version.ts';
import { registerFields } from '../../src/fields.ts';
import { registerSignals } from '../../src/signals.ts';
import { writeErr, writeOut } from '../common/output.ts';
import { addExperimentCommands } from './program/experiments.ts';
import { addMachineCommands, addStartCommand } from './program/machine.ts';
import { addModelCommands } from './program/models.ts';
import { addTrainCommand } from './program/train.ts';

registerConvolutions(); // so that model files may hold layers of any kind
registerFields();
registerSignals();

const AFTER_HELP = `
Exit codes: 0 success; 1 failure; 2 wrong usage; 130 interrupted experiment.
Set WEIGHTLESS_DEBUG=1 to print the stack of an unexpected error.`;

export function buildProgram(): Command {
  const program = new Command('weightless')
    .description('Train, evaluate and inspect neural networks whose random weights are never stored.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ writeOut, writeErr })
    .showHelpAfterError('(add --help to list the options)')
    .addHelpText('after', AFTER_HELP);
  addTrainCommand(program);
  addModelCommands(program);
  addMachineCommands(program);
  addExperimentCommands(program);
  addStartCommand(program);
  return program;
}
