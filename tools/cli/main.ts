#!/usr/bin/env node
/** The command line. Exit codes: 0, 1 (failed), 2 (usage). */
import { CommanderError } from 'commander';
import { WeightlessError } from '../../src/core/errors.ts';
import { buildProgram } from './program.ts';

async function main(): Promise<number> {
  try {
    await buildProgram().parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const known = error instanceof WeightlessError || error instanceof RangeError;
    console.error(known ? `${error.name}: ${error.message}` : error);
    return 1;
  }
}

// Dawn keeps threads of its own: leave explicitly, once both streams are written.
const code = await main();
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
process.exit(code);
