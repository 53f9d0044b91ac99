/** `weightless experiment`, and the hidden command that its worker processes run. */

import { type Command, Option } from 'commander';
import type { BackendChoice } from '../../experiments/lab.ts';
import { experimentNames } from '../../experiments/table.ts';
import { workerCommand } from '../../experiments/worker.ts';
import { type ExperimentOptions, experimentCommand } from '../experiment.ts';
import { names, positive, shard } from '../option-values.ts';
import { dataDirOption, jsonOption } from './shared-options.ts';

/** Unlike `--backend` of the other commands: the processes of an experiment share a real GPU, or one core each. */
const backendOption = () =>
  new Option('--backend <name>', 'where to compute. auto: on a real GPU, else on the CPU')
    .choices(['auto', 'cpu', 'webgpu'])
    .default('auto');

export function addExperimentCommands(program: Command): void {
  program
    .command('experiment')
    .description('make many runs, with a table and a report; start it again to continue after an interruption')
    .argument('<name>', `one of ${experimentNames.join(', ')}`)
    .option('--runs <n>', 'seeds of each network (default: 5 for most experiments)', positive)
    .option('--quick', 'use few rows and epochs, to see it work')
    .addOption(jsonOption())
    .option('--report <file>', 'write an HTML page with tables and charts')
    .addOption(
      new Option(
        '--shard <i/n>',
        'make every n-th run, starting with the i-th, to share the work among machines',
      ).argParser(shard),
    )
    .option('--merge [files...]', 'add the runs of these files, or of all shards, to the results file')
    .option('--jobs <n>', 'number of processes (default: one for each core, or one on a GPU)', positive)
    .option('--out <file>', 'results file, one line for each run (default: experiments/results/NAME.jsonl)')
    .option('--only <text>', 'make only the runs whose keys contain this text')
    .addOption(new Option('--data <names>', 'data sets to use in place of those of the experiment').argParser(names))
    .addOption(dataDirOption())
    .option('--no-run', 'make no new runs; print the table and the report of the results file')
    .addOption(backendOption())
    .action((name: string, options: ExperimentOptions) => experimentCommand(name, options));

  program
    .command('experiment-worker', { hidden: true })
    .argument('<name>')
    .addOption(backendOption())
    .action((name: string, { backend }: { backend: BackendChoice }) => workerCommand(name, backend));
}
