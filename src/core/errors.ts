/** Errors by name. Each message says what was expected, what came, and what to do. */
import { legible } from './quote.ts';

/** Base of all errors of this library. Its message is safe to print: at most 4,000 characters, controls escaped. */
export class WeightlessError extends Error {
  override readonly name: string = 'WeightlessError';

  constructor(message: string) {
    super(legible(message));
  }
}

/** There is no WebGPU, or it offers no adapter. */
export class NoAdapterError extends WeightlessError {
  override readonly name = 'NoAdapterError';
}

/** The device is gone: destroyed, reset by the driver, or unplugged. Everything on it is lost; make a new context. */
export class DeviceLostError extends WeightlessError {
  override readonly name = 'DeviceLostError';
}

/** The device had no memory left, or a buffer passes one of its limits. */
export class OutOfMemoryError extends WeightlessError {
  override readonly name = 'OutOfMemoryError';
}

/** The device refused a command; a defect of this library, or of buffers handed to it. */
export class GpuValidationError extends WeightlessError {
  override readonly name = 'GpuValidationError';
}

/** A shader did not compile. */
export class ShaderError extends WeightlessError {
  override readonly name = 'ShaderError';
}

/** Shapes or options that do not fit together. */
export class ShapeError extends WeightlessError {
  override readonly name = 'ShapeError';
}

/** An option that does not exist, or whose value has the wrong type. */
export class OptionError extends WeightlessError {
  override readonly name = 'OptionError';
}

/** A data set that can't be used: wrong sizes, NaN, labels out of range. */
export class DataError extends WeightlessError {
  override readonly name = 'DataError';
}

/** A file that is no model of this library, or a damaged one, or one of another version. */
export class ModelFileError extends WeightlessError {
  override readonly name = 'ModelFileError';
}

/** A model file could not be fetched. */
export class LoadError extends WeightlessError {
  override readonly name = 'LoadError';
  readonly url: string;
  /** HTTP status; absent where the network failed before there was one. */
  readonly status: number | undefined;

  constructor(message: string, url: string, status?: number) {
    super(message);
    this.url = url;
    this.status = status;
  }
}

/** Training left the finite numbers. */
export class DivergedError extends WeightlessError {
  override readonly name = 'DivergedError';
}
