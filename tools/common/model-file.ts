/** Model files and checkpoints from disk: a file that is none is refused by its first megabyte, before the rest is read. */
import { readInput } from '../../src/core/read-input.ts';
import { expectWhole } from '../../src/model/container.ts';
import { fileLimits } from '../../src/model/limits.ts';
import { MODEL_FILE } from '../../src/model/metadata.ts';
import { readHeader } from '../../src/model/safetensors.ts';

/** The bytes of a model file. Throws `DataError`, `ModelFileError`. */
export const readModelFile = (path: string): Promise<Uint8Array<ArrayBuffer>> =>
  readInput(path, fileLimits.bytes, (start, fileBytes = start.length) => {
    const header = readHeader(start);
    if (!('needed' in header) && fileBytes > start.length) expectWhole(MODEL_FILE, header, fileBytes);
  });
