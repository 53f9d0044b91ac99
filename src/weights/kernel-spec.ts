/** Which random kernels a layer asks for, apart from what generates them (random-kernels.ts). */
import { ShapeError } from '../core/errors.ts';
import type { ElementwiseName } from './distributions.ts';
import type { Seed } from './stream.ts';

/** A bank of random kernels over signals of one length, never stored. */
export interface KernelSpec {
  readonly seed: Seed;
  /** Number of the bank within its model: u32. */
  readonly tensor: number;
  readonly distribution: ElementwiseName;
  /** Weights of a kernel along the signal, before it is dilated: `LEAST_TAPS` to `MOST_TAPS`. */
  readonly taps: number;
  /** Samples of a signal. */
  readonly length: number;
  /** Channels of a signal. */
  readonly channels: number;
}

export const LEAST_TAPS = 2;
export const MOST_TAPS = 15;
/** The longest signal, and the most channels of one. */
const MOST_LENGTH = 2 ** 20;

/** Throws `ShapeError` for a bank that the specification does not define. */
export function checkKernels({ taps, length, channels }: Pick<KernelSpec, 'taps' | 'length' | 'channels'>): void {
  const whole = (value: number, least: number, most: number) =>
    Number.isSafeInteger(value) && value >= least && value <= most;
  if (!whole(taps, LEAST_TAPS, MOST_TAPS)) {
    throw new ShapeError(`random kernels: expected ${LEAST_TAPS} to ${MOST_TAPS} taps, got ${taps}`);
  }
  if (whole(length, 1, MOST_LENGTH) && whole(channels, 1, MOST_LENGTH)) return;
  throw new ShapeError(
    `random kernels: expected signals of 1 to ${MOST_LENGTH} samples and channels, got ${length} x ${channels}`,
  );
}
