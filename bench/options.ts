/** Parsers for command-line options. */
import { InvalidArgumentError } from 'commander';

export const positive = (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError(`expected a whole number of 1 or more, got '${text}'`);
  return value;
};
