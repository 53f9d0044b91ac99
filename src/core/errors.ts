/** The named errors. Each message says what was expected, what came instead, and what to do. */
import { legible } from './quote.ts';

/** Base of all errors of this library. Its message is safe to print: at most 4,000 characters, controls escaped. */
export class WeightlessError extends Error {
  override readonly name: string = 'WeightlessError';

  constructor(message: string) {
    super(legible(message));
  }
}

/** Nothing computes here: there is no WebGPU, it offers no adapter, or the CPU kernels do not compile. */
export class NoAdapterError extends WeightlessError {
  override readonly name = 'NoAdapterError';
}

/** The device is gone: destroyed, reset by the driver, or unplugged. Everything on it is lost; make a new context. */
export class DeviceLostError extends WeightlessError {
  override readonly name = 'DeviceLostError';
}

/** The device ran out of memory, or a buffer exceeds one of its limits. */
export class OutOfMemoryError extends WeightlessError {
  override readonly name = 'OutOfMemoryError';
}

/** The device rejected a command. The cause is a defect in this library or in buffers passed to it. */
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

/** Unusable data: wrong sizes, NaN, labels out of range. */
export class DataError extends WeightlessError {
  override readonly name = 'DataError';
}

/** A file could not be written. Its message names the place that keeps the result, if there is one. */
export class WriteError extends WeightlessError {
  override readonly name = 'WriteError';
}

/** A file that is no model of this library, or a damaged one, or one of another version. */
export class ModelFileError extends WeightlessError {
  override readonly name = 'ModelFileError';
}

/** A model file, or a part of this library, could not be fetched. */
export class LoadError extends WeightlessError {
  override readonly name = 'LoadError';
  /** The address of the model file; empty for a part of the library. */
  readonly url: string;
  /** HTTP status; undefined if the request failed before a response arrived. */
  readonly status: number | undefined;

  constructor(message: string, url: string, status?: number) {
    super(message);
    this.url = url;
    this.status = status;
  }
}

/** Training produced NaN or an infinite number. */
export class DivergedError extends WeightlessError {
  override readonly name = 'DivergedError';
}
