#!/usr/bin/env node
/** The command line. */
import { CommanderError } from 'commander';
import { WeightlessError } from '../../src/core/errors.ts';
import { legible } from '../../src/core/quote.ts';
import { outputFailure, say } from '../common/output.ts';
import { exitCodes } from './exit-codes.ts';
import { buildProgram } from './program.ts';

async function main(): Promise<number> {
  try {
    await buildProgram().parseAsync();
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    reportError(error);
    return exitCodes.failed;
  }
}

/** An error of this library explains itself. Any other is a bug or comes from the system: one line, and how to see more. */
function reportError(error: unknown): void {
  const { name = 'Error', message = String(error), stack, syscall } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  say(legible(`${name}: ${message}`));
  if (error instanceof WeightlessError || error instanceof RangeError) return;
  if (process.env.WEIGHTLESS_DEBUG) say(legible(String(stack)));
  else if (!syscall)
    say('This is a bug in weightless. Run the command again with WEIGHTLESS_DEBUG=1 and report what it prints.');
}

/** Leaves once both streams are written. A reader that closed the pipe (`| head`) has what it wanted. */
async function leave(code: number): Promise<never> {
  const failure = await outputFailure();
  if (!failure || failure.code === 'EPIPE') process.exit(code);
  say(`stdout: could not write the output: ${failure.message}`);
  await outputFailure();
  process.exit(exitCodes.failed);
}

for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
  process.on(event, (error: unknown) => {
    reportError(error);
    void leave(exitCodes.failed);
  });
}
await leave(await main()); // explicitly: Dawn keeps threads of its own
