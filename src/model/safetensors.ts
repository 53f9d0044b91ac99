/**
 * Model files: safetensors (https://github.com/huggingface/safetensors), readable by its Python package. Trained numbers
 * are F32, F16 or I8 tensors; the architecture, the seed, the stream version and the distributions are in the metadata.
 * This reads them, save.ts writes them.
 */
import { ModelFileError } from '../core/errors.ts';
import { halfValue } from '../core/float16.ts';
import { product } from '../core/shape.ts';
import { kindOf, layerKinds, layerParameters } from '../layers/kinds.ts';
import type { LayerSpec } from '../layers/specs.ts';
import { STREAM_VERSION, splitSeed } from '../weights/stream.ts';
import { type Model, modelParameters, placeLayers } from './model.ts';

/** Version of the metadata below. */
export const FORMAT_VERSION = 1;

/** Headers longer than this are refused unread. */
const MOST_HEADER_BYTES = 2 ** 20;

/** Models with more numbers than this are refused: a file can't make the reader allocate more than it holds anyway. */
const MOST_NUMBERS = 2 ** 30;

/** Layers within layers are refused beyond this. */
const MOST_DEPTH = 8;

/** How the numbers of a tensor are stored. */
interface Codec {
  readonly bytes: number;
  get(view: DataView, at: number): number;
}

const codecs = {
  F32: { bytes: 4, get: (view, at) => view.getFloat32(at, true) },
  F16: { bytes: 2, get: (view, at) => halfValue(view.getUint16(at, true)) },
  I8: { bytes: 1, get: (view, at) => view.getInt8(at) },
} as const satisfies Record<string, Codec>;

/** How a file may hold numbers. In I8 a matrix is integers, and the tensor NAME.scale has what each column is multiplied by. */
export type StoredType = keyof typeof codecs;

export const bytesOf = (dtype: StoredType): number => codecs[dtype].bytes;

/** What the first bytes of a model file tell. */
export interface ModelHeader {
  /** Its parameters are not yet there. */
  readonly model: Model;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
  readonly tensors: readonly { name: string; codec: Codec; from: number; numbers: number }[];
}

const truncated = (expected: number, got: number) =>
  new ModelFileError(
    `model file: expected ${expected} bytes or more (its header says so), got ${got}. The file is truncated: fetch it again.`,
  );

/** The header of a file of which `bytes` are the start. Or how many bytes it takes to say. Throws `ModelFileError`. */
export function readHeader(bytes: Uint8Array): ModelHeader | { readonly needed: number } {
  if (/^\s*<(!doctype|html)/i.test(new TextDecoder().decode(bytes.subarray(0, 64)))) {
    throw new ModelFileError(
      'model file: expected a safetensors file, got an HTML page. Is the address right? Some servers answer unknown paths with a page.',
    );
  }
  if (bytes.length < 8) return { needed: 8 };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerBytes = Number(view.getBigUint64(0, true));
  if (headerBytes > MOST_HEADER_BYTES) {
    throw new ModelFileError(
      `model file: expected a header of at most ${MOST_HEADER_BYTES} bytes, got ${headerBytes}. This is no model file, or a damaged one.`,
    );
  }
  const data = 8 + headerBytes;
  if (data > bytes.length) return { needed: data };
  const header = object(parse(new TextDecoder().decode(bytes.subarray(8, data)), 'header'), 'header');
  const model = modelFromMetadata(header.__metadata__);
  const specs = modelParameters(model).flatMap((spec) =>
    object(header[spec.name], `tensor '${spec.name}'`).dtype === 'I8'
      ? [spec, { name: `${spec.name}.scale`, shape: spec.shape.slice(-1) }]
      : [spec],
  );
  const unknown = Object.keys(header).filter(
    (name) => name !== '__metadata__' && specs.every((spec) => spec.name !== name),
  );
  if (unknown.length) {
    const listed = unknown.slice(0, 3).join(', ');
    throw new ModelFileError(`model file: expected the tensors of its layers alone, got also ${listed}`);
  }
  const tensors = specs.map(({ name, shape }) => {
    const { dtype, shape: stored, data_offsets } = object(header[name], `tensor '${name}'`);
    if (!Object.hasOwn(codecs, String(dtype)) || JSON.stringify(stored) !== JSON.stringify(shape)) {
      throw new ModelFileError(
        `model file: expected tensor '${name}' as ${Object.keys(codecs).join(' or ')} of shape [${shape}], got ${String(dtype)} of shape ${JSON.stringify(stored)}`,
      );
    }
    const codec: Codec = codecs[dtype as keyof typeof codecs];
    const numbers = product(shape);
    const [from, to] = Array.isArray(data_offsets) ? (data_offsets as unknown[]) : [];
    if (!isOffset(from) || to !== from + codec.bytes * numbers) {
      throw new ModelFileError(
        `model file: expected tensor '${name}' to take ${codec.bytes * numbers} bytes, got offsets ${JSON.stringify(data_offsets)}`,
      );
    }
    return { name, codec, from: data + from, numbers };
  });
  // Tensors that share bytes would make a small file fill the memory.
  const fileBytes = tensors.reduce((sum, { codec, numbers }) => sum + codec.bytes * numbers, data);
  for (const { name, codec, from, numbers } of tensors) {
    if (from + codec.bytes * numbers > fileBytes) {
      throw new ModelFileError(`model file: expected tensors without gaps, '${name}' ends behind all of them`);
    }
  }
  return { model, tensors, fileBytes };
}

/** Reads a model file. Throws `ModelFileError` that says what was expected and what came. */
export function readModel(file: ArrayBuffer | Uint8Array): Model {
  const bytes = file instanceof Uint8Array ? file : new Uint8Array(file);
  const header = readHeader(bytes);
  if ('needed' in header) throw truncated(header.needed, bytes.length);
  if (header.fileBytes > bytes.length) throw truncated(header.fileBytes, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { parameters } = header.model;
  for (const { name, codec, from, numbers } of header.tensors) {
    const values = Float32Array.from({ length: numbers }, (_, i) => codec.get(view, from + codec.bytes * i));
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new ModelFileError(`model file: expected finite numbers, got ${values[bad]} in tensor '${name}' at ${bad}`);
    }
    parameters.set(name, values);
  }
  for (const { name, codec } of header.tensors) {
    if (codec !== codecs.I8) continue;
    const scale = parameters.get(`${name}.scale`)!;
    parameters.delete(`${name}.scale`);
    parameters.set(
      name,
      parameters.get(name)!.map((integer, i) => integer * scale[i % scale.length]!),
    );
  }
  return header.model;
}

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function parse(text: unknown, what: string): unknown {
  try {
    // An object whose toString is no function can't be shown in a message.
    return JSON.parse(String(text), (key, value) => (key === 'toString' ? JSON.parse('') : value));
  } catch {
    throw new ModelFileError(`model file: expected ${what} to be JSON. This is no model file, or a damaged one.`);
  }
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ModelFileError(`model file: expected ${what} to be an object, got ${JSON.stringify(value) ?? 'nothing'}`);
}

/** The model that the metadata describes, its parameters not yet filled in. */
function modelFromMetadata(value: unknown): Model {
  if (value === undefined) {
    throw new ModelFileError('model file: expected the metadata of a weightless model, got a safetensors file without');
  }
  const metadata = object(value, 'metadata');
  if (metadata.format !== 'weightless' || metadata.format_version !== String(FORMAT_VERSION)) {
    throw new ModelFileError(
      `model file: expected format 'weightless' version ${FORMAT_VERSION}, got '${String(metadata.format)}' version ${String(metadata.format_version)}`,
    );
  }
  if (metadata.stream_version !== String(STREAM_VERSION)) {
    throw new ModelFileError(
      `model file: expected weight stream version ${STREAM_VERSION}, got ${String(metadata.stream_version)}. ` +
        'Its random weights would be others here: use the release of weightless that wrote it.',
    );
  }
  if (!/^\d{1,20}$/.test(String(metadata.seed))) {
    throw new ModelFileError(`model file: expected the seed as a decimal integer, got '${String(metadata.seed)}'`);
  }
  const big = BigInt(String(metadata.seed));
  const seed = big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
  const input = parse(metadata.input, 'metadata.input');
  const layers = parse(metadata.layers, 'metadata.layers');
  if (!Array.isArray(input) || input.length > 8 || !input.every(isSize)) {
    throw new ModelFileError(
      `model file: expected metadata.input to be a list of sizes, got ${String(metadata.input)}`,
    );
  }
  if (!Array.isArray(layers) || layers.length === 0) {
    throw new ModelFileError('model file: expected metadata.layers to be a list of layers');
  }
  const specs = layers.map((layer, i) => layerFromMetadata(layer, `layer ${i}`));
  try {
    const placed = placeLayers({ input, layers: specs });
    const numbers = placed.flatMap((layer) => [layer.output, ...layerParameters(layer).map(({ shape }) => shape)]);
    const most = numbers.reduce((sum, shape) => sum + product(shape), 0);
    if (most > MOST_NUMBERS) {
      throw new ModelFileError(`expected at most ${MOST_NUMBERS} numbers, its layers have ${most}`);
    }
    splitSeed(seed);
  } catch (error) {
    throw new ModelFileError(`model file: ${(error as Error).message}`);
  }
  return { input, layers: specs, seed, parameters: new Map() };
}

const isSize = (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= MOST_NUMBERS;

/** A kind of layer that this library does not have, or has not loaded. */
export class UnknownLayerError extends ModelFileError {
  constructor(
    message: string,
    readonly kind: unknown,
  ) {
    super(message);
  }
}

function layerFromMetadata(value: unknown, what: string, depth = 0): LayerSpec {
  if (depth > MOST_DEPTH) throw new ModelFileError(`model file: expected layers at most ${MOST_DEPTH} deep`);
  const layer = object(value, what);
  const { kind, ...fields } = layer;
  if (!Object.hasOwn(layerKinds, String(kind))) {
    throw new UnknownLayerError(
      `model file: expected ${what} to be one of ${Object.keys(layerKinds).join(', ')}; got ${JSON.stringify(layer)}. ` +
        "Call registerConvolutions() of 'weightless-gpu/convolution' or registerFields() of 'weightless-gpu/fields' before, or use a newer release.",
      kind,
    );
  }
  if (Array.isArray(fields.layers)) {
    fields.layers = fields.layers.map((inner, i) => layerFromMetadata(inner, `${what}.${i}`, depth + 1));
  }
  let made: LayerSpec;
  try {
    made = kindOf(layer as unknown as LayerSpec).make(fields as never);
  } catch (error) {
    throw new ModelFileError(`model file: ${what}: ${(error as Error).message}`);
  }
  const names = (fields: object) => Object.keys(fields).sort().join(', ');
  if (names(made) !== names(layer)) {
    throw new ModelFileError(`model file: expected ${what} to have ${names(made)}; got ${JSON.stringify(layer)}`);
  }
  return made;
}
