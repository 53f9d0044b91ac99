/**
 * The safetensors container (https://github.com/huggingface/safetensors): a JSON header, then the bytes of its tensors one after
 * another. Reading checks all of it, because files come from anywhere; what the tensors mean is for the caller.
 */
import { ModelFileError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { decodeUtf8 } from '../core/utf8.ts';
import { fileLimits } from './limits.ts';

export interface StoredTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Place in the file, in bytes. */
  readonly from: number;
  readonly to: number;
}

export interface Container {
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
}

/** How files start that are often found in place of the one that was meant, and what to do. */
const impostors: Readonly<Record<string, string>> = {
  '<!doctype': 'an HTML page. Is the address right? Some servers answer unknown paths with a page.',
  '<html': 'an HTML page. Is the address right? Some servers answer unknown paths with a page.',
  'version https://git-lfs': "a Git LFS pointer. Run 'git lfs pull', or download the file itself.",
  '\u001f\u008b': 'a gzip file. Unpack it first.',
  'pk\u0003\u0004': 'a ZIP file. Unpack it first.',
};

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/**
 * The header of a file of which `bytes` are the start, or how many bytes it takes to read one. `what` opens messages. Throws
 * `ModelFileError` unless the tensors lie one after another, without gaps or shared bytes.
 */
export function readContainer(
  what: string,
  bytes: Uint8Array,
  mostHeaderBytes: number,
): Container | { readonly needed: number } {
  const start = String.fromCharCode(...bytes.subarray(0, 64))
    .trimStart()
    .toLowerCase();
  for (const [text, got] of Object.entries(impostors)) {
    if (start.startsWith(text)) throw new ModelFileError(`${what}: expected a safetensors file, got ${got}`);
  }
  if (bytes.length < 8) return { needed: 8 };
  const headerBytes = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  if (headerBytes > mostHeaderBytes) {
    throw new ModelFileError(
      `${what}: expected a header of at most ${mostHeaderBytes} bytes, got ${headerBytes}. This is another kind of file, or a damaged one.`,
    );
  }
  const data = 8 + headerBytes;
  if (data > bytes.length) return { needed: data };
  const { __metadata__, ...entries } = asObject(
    what,
    'header',
    parseJson(what, 'header', decodeUtf8(bytes.subarray(8, data))),
  );
  const listed = Object.entries(entries).map(([name, entry]) => [name, tensorOf(what, name, entry, data)] as const);
  let end = data;
  for (const [name, { from, to }] of [...listed].sort(([, a], [, b]) => a.from - b.from || a.to - b.to)) {
    if (from !== end) {
      throw new ModelFileError(
        `${what}: expected tensors one after another, without gaps or shared bytes; ${quoted(name)} starts at byte ` +
          `${from - data} of the data and the one before it ends at ${end - data}`,
      );
    }
    end = to;
  }
  const metadata = __metadata__ === undefined ? undefined : asObject(what, 'metadata', __metadata__);
  return { metadata, tensors: new Map(listed), fileBytes: end };
}

function tensorOf(what: string, name: string, entry: unknown, data: number): StoredTensor {
  const tensor = `tensor ${quoted(name)}`;
  const { dtype, shape, data_offsets } = asObject(what, tensor, entry);
  const [from, to] = Array.isArray(data_offsets) ? (data_offsets as unknown[]) : [];
  if (!(isOffset(from) && isOffset(to) && from <= to)) {
    throw new ModelFileError(
      `${what}: expected ${tensor} to have data_offsets of two integers, got ${quoted(data_offsets)}`,
    );
  }
  if (typeof dtype !== 'string' || !(Array.isArray(shape) && shape.every(isOffset))) {
    throw new ModelFileError(
      `${what}: expected ${tensor} to have a dtype and a shape, got ${quoted(dtype)} and ${quoted(shape)}`,
    );
  }
  return { dtype, shape, from: data + from, to: data + to };
}

/** Throws `ModelFileError` where a file of `length` bytes is not the whole file of this header, and nothing more. */
export function expectWhole<H extends { readonly fileBytes: number }>(
  what: string,
  header: H | { readonly needed: number },
  length: number,
): asserts header is H {
  const expected = 'needed' in header ? header.needed : header.fileBytes;
  if (length < expected) {
    throw new ModelFileError(
      `${what}: expected ${expected} bytes or more (its header says so), got ${length}. The file is truncated: fetch it again.`,
    );
  }
  if (length > expected) {
    throw new ModelFileError(
      `${what}: expected ${expected} bytes, as its header says, got ${length}. Something was added to the file: fetch it again.`,
    );
  }
}

/**
 * The value of JSON text. Throws `ModelFileError` for anything else, and for text with more than `most` commas, colons
 * and opening brackets: a few bytes of `[],` take 20 times as much memory once they are parsed.
 */
export function parseJson(what: string, part: string, text: unknown, most: number = fileLimits.jsonMarks): unknown {
  if (typeof text === 'string') {
    if (hasMoreMarks(text, most)) {
      throw new ModelFileError(
        `${what}: expected ${part} to have at most ${most} commas, colons and brackets, got more. The file is damaged, or not made for use.`,
      );
    }
    try {
      return JSON.parse(text);
    } catch {}
  }
  throw new ModelFileError(`${what}: expected ${part} to be JSON. This is another kind of file, or a damaged one.`);
}

/** Counts what makes values in JSON text: `,` `:` `[` `{` outside strings. */
function hasMoreMarks(text: string, most: number): boolean {
  if (text.length <= most) return false;
  let marks = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '"') quoted = !quoted;
    else if (quoted) i += Number(character === '\\');
    else if (',:[{'.includes(character) && ++marks > most) return true;
  }
  return false;
}

/** Throws `ModelFileError` for what is no object. */
export function asObject(what: string, part: string, value: unknown): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ModelFileError(
    `${what}: expected ${part} to be an object, got ${value === undefined ? 'nothing' : quoted(value)}`,
  );
}
