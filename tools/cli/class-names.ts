/** Names of classes in a model file: a line of its metadata that says nothing to the model, and tells people what it answers. */
import { DataError } from '../../src/core/errors.ts';
import { readHeader } from '../../src/model/safetensors.ts';

/** Longer names are cut in the file, so that its header stays small. */
const MOST_LETTERS = 64;

const headerEnd = (file: Uint8Array) =>
  8 + Number(new DataView(file.buffer, file.byteOffset, file.byteLength).getBigUint64(0, true));

interface Header {
  readonly __metadata__: Record<string, string>;
}

const headerOf = (file: Uint8Array) =>
  JSON.parse(new TextDecoder().decode(file.subarray(8, headerEnd(file)))) as Header;

/** The file of `saveModel` with the names in it. */
export function nameClasses(
  file: Uint8Array<ArrayBuffer>,
  names: readonly string[] | undefined,
): Uint8Array<ArrayBuffer> {
  if (!names) return file;
  const header = headerOf(file);
  const classes = JSON.stringify(names.map((name) => name.slice(0, MOST_LETTERS)));
  const json = new TextEncoder().encode(
    JSON.stringify({ ...header, __metadata__: { ...header.__metadata__, classes } }),
  );
  const padded = Math.ceil(json.length / 8) * 8;
  const tensors = file.subarray(headerEnd(file));
  const made = new Uint8Array(8 + padded + tensors.length);
  new DataView(made.buffer).setBigUint64(0, BigInt(padded), true);
  made.fill(0x20, 8, 8 + padded);
  made.set(json, 8);
  made.set(tensors, 8 + padded);
  return made;
}

/** Throws `DataError` where a model answers by other classes than data has. */
export function sameClasses(
  file: string,
  model: readonly string[] | undefined,
  title: string,
  data: readonly string[] | undefined,
): void {
  const cut = data?.map((name) => name.slice(0, MOST_LETTERS));
  if (!model || !cut || JSON.stringify(model) === JSON.stringify(cut)) return;
  throw new DataError(
    `${title}: expected the classes of ${file} (${listed(model)}), got ${listed(cut)}. Take the data that it was trained on, or train anew.`,
  );
}

const listed = (names: readonly string[]) => `${names.length}: ${names.slice(0, 6).join(', ')}`;

/** Nothing where the file has none, or other things in their place. Throws `ModelFileError` for what is no model file. */
export function classNamesOf(file: Uint8Array): readonly string[] | undefined {
  if ('needed' in readHeader(file)) return undefined;
  try {
    const names: unknown = JSON.parse(headerOf(file).__metadata__.classes ?? 'null');
    return Array.isArray(names) && names.every((name) => typeof name === 'string') ? names : undefined;
  } catch {
    return undefined;
  }
}
