/** Values of options: from text, or an error that says what was expected. commander adds what came, and for which option. */
import { InvalidArgumentError } from 'commander';
import type { LayerSpec } from '../../src/layers/specs.ts';
import { type Seed, splitSeed } from '../../src/weights/stream.ts';
import { parseLayers } from '../common/architecture.ts';

/** Most units of a layer: the keys of more do not fit into memory. */
const MOST_UNITS = 2 ** 24;

export const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer.');
  return value;
};
export const rate = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('expected a positive number.');
  return value;
};
export const weightDecay = (text: string): number => {
  const value = Number(text);
  if (!text.trim() || !(value >= 0 && value < 1)) throw new InvalidArgumentError('expected a number from 0, below 1.');
  return value;
};
export const index = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 0xffffffff)
    throw new InvalidArgumentError('expected an integer from 0 to 2^32 - 1.');
  return value;
};
export const smallSeed = (text: string): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('expected an integer from 0 to 2^53 - 1.');
  return value;
};
export const anySeed = (text: string): Seed => {
  if (!/^\d{1,20}$/.test(text)) throw new InvalidArgumentError('expected an integer from 0 to 2^64 - 1.');
  const big = BigInt(text);
  const seed = big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
  try {
    splitSeed(seed);
  } catch {
    throw new InvalidArgumentError('expected an integer from 0 to 2^64 - 1.');
  }
  return seed;
};
export const layers = (text: string): LayerSpec[] => {
  try {
    return parseLayers(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
};
export const yesOrNo = (text: string): boolean => {
  if (text !== 'yes' && text !== 'no') throw new InvalidArgumentError('expected yes or no.');
  return text === 'yes';
};
export const sizes = (text: string): number[] =>
  text.split(',').map((part) => {
    const units = positive(part);
    if (units > MOST_UNITS) throw new InvalidArgumentError(`expected at most ${MOST_UNITS} units in a layer.`);
    return units;
  });
/** 'HEIGHTxWIDTH'. */
export const pictureSize = (text: string): { height: number; width: number } => {
  const [, height, width] = /^([1-9]\d{0,3})x([1-9]\d{0,3})$/.exec(text) ?? [];
  if (height === undefined) throw new InvalidArgumentError('expected HEIGHTxWIDTH in pixels, such as 32x48.');
  return { height: Number(height), width: Number(width) };
};
/** Most weights that one call prints. */
export const MOST_WEIGHTS = 2 ** 24;
export const range = (text: string): [number, number] => {
  const [, from, to] = /^(\d+):(\d+)$/.exec(text) ?? [];
  if (from === undefined || Number(from) >= Number(to) || Number(to) > 2 ** 32) {
    throw new InvalidArgumentError('expected FROM:TO with FROM below TO (half-open), e.g. 0:8.');
  }
  return [Number(from), Number(to)];
};

export const shard = (text: string): [number, number] => {
  const [, part, of] = /^(\d+)\/(\d+)$/.exec(text) ?? [];
  if (!(Number(part) >= 1 && Number(part) <= Number(of))) {
    throw new InvalidArgumentError('expected I/N with I from 1 to N, e.g. 2/4.');
  }
  return [Number(part), Number(of)];
};
export const names = (text: string): string[] => text.split(',');
