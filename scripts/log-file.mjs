/** Logs of long runs: opened before the work starts; a full disk ends the log, not the run. */
import { openSync, writeSync } from 'node:fs';

/**
 * Returns a function that prints a line, also to the log if `path` is given. Exits with code 2 where the log cannot be
 * opened. `append`: keeps what the log holds.
 */
export function openLog(command, path, { append = false } = {}) {
  let file;
  try {
    file = path === undefined ? undefined : openSync(path, append ? 'a' : 'w');
  } catch (error) {
    console.error(`${command}: expected --log to be a file that can be written, got ${path}: ${error.code}`);
    process.exit(2);
  }
  return (line) => {
    console.log(line);
    if (file === undefined) return;
    try {
      writeSync(file, `${line}\n`);
    } catch (error) {
      console.error(`${command}: ${path} could not be written (${error.code}). Only the terminal gets the rest.`);
      file = undefined;
    }
  };
}
