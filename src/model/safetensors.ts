/**
 * Model files: safetensors (https://github.com/huggingface/safetensors), readable by its Python package. Trained numbers are F32,
 * F16 or I8 tensors; the metadata holds the architecture, the seed, the stream version and the distributions. save.ts writes
 * them.
 */
import { toBytes } from '../core/arrays.ts';
import { ModelFileError } from '../core/errors.ts';
import { halfValue } from '../core/float16.ts';
import { expectOptions } from '../core/options.ts';
import { quoted } from '../core/quote.ts';
import { product } from '../core/shape.ts';
import { kindOf } from '../layers/kinds.ts';
import { expectWhole, readContainer, type StoredTensor } from './container.ts';
import { expectLimits, fileLimits, type ModelLimits } from './limits.ts';
import { MODEL_FILE, modelFromMetadata } from './metadata.ts';
import { type Model, modelParameters, placeLayers } from './model.ts';

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

/** How a file may hold numbers. An I8 matrix holds integers; the tensor NAME.scale has the factor of each column. */
export type StoredType = keyof typeof codecs;

export const bytesOf = (dtype: StoredType): number => codecs[dtype].bytes;

/** What the first bytes of a model file say. */
export interface ModelHeader {
  /** Without its parameters. */
  readonly model: Model;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
  readonly tensors: readonly { name: string; codec: Codec; from: number; numbers: number }[];
}

/**
 * The header of a file of which `bytes` are the start, or how many bytes it takes to read one. Throws `ModelFileError`, also where
 * a prediction would cost more than `limits` allow.
 */
export function readHeader(bytes: Uint8Array, limits?: ModelLimits): ModelHeader | { readonly needed: number } {
  if (limits) expectLimits(limits);
  const container = readContainer(MODEL_FILE, bytes, fileLimits.headerBytes);
  if ('needed' in container) return container;
  const { metadata, tensors: stored, fileBytes } = container;
  const model = modelFromMetadata(metadata, limits);
  const specs = modelParameters(model).flatMap((spec) =>
    stored.get(spec.name)?.dtype === 'I8'
      ? [spec, { name: `${spec.name}.scale`, shape: spec.shape.slice(-1) }]
      : [spec],
  );
  const obsolete = placeLayers(model).flatMap(({ spec, index }) =>
    (kindOf(spec).obsolete ?? []).map((name) => `layers.${index}.${name}`),
  );
  const known = new Set([...specs.map(({ name }) => name), ...obsolete]);
  const unknown = [...stored.keys()].filter((name) => !known.has(name));
  if (unknown.length) {
    const listed = unknown.slice(0, 3).map(quoted).join(', ');
    throw new ModelFileError(`${MODEL_FILE}: expected the tensors of its layers alone, got also ${listed}`);
  }
  const tensors = specs.map(({ name, shape }) => {
    const tensor = stored.get(name);
    if (!tensor) throw new ModelFileError(`${MODEL_FILE}: expected tensor '${name}' of shape [${shape}], got nothing`);
    return { name, codec: codecOf(name, shape, tensor), from: tensor.from, numbers: product(shape) };
  });
  return { model, tensors, fileBytes };
}

function codecOf(name: string, shape: readonly number[], tensor: StoredTensor): Codec {
  const { dtype, shape: stored, from, to } = tensor;
  if (!Object.hasOwn(codecs, dtype) || JSON.stringify(stored) !== JSON.stringify(shape)) {
    throw new ModelFileError(
      `${MODEL_FILE}: expected tensor '${name}' as ${Object.keys(codecs).join(' or ')} of shape [${shape}], got ${quoted(dtype)} of shape ${quoted(stored)}`,
    );
  }
  const codec: Codec = codecs[dtype as StoredType];
  const bytes = codec.bytes * product(shape);
  if (to - from === bytes) return codec;
  throw new ModelFileError(`${MODEL_FILE}: expected tensor '${name}' to take ${bytes} bytes, got ${to - from}`);
}

/**
 * Reads a model file. Throws `ModelFileError` that says what was expected and what came. `limits`: what one prediction of the
 * model may cost; a file that asks for more is refused.
 */
export function readModel(file: ArrayBuffer | ArrayBufferView, options: { limits?: ModelLimits } = {}): Model {
  expectOptions('readModel', options, { limits: 'object' });
  const { limits } = options;
  const bytes = toBytes(file);
  const header = readHeader(bytes, limits);
  expectWhole(MODEL_FILE, header, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { parameters } = header.model;
  for (const { name, codec, from, numbers } of header.tensors) {
    const values = Float32Array.from({ length: numbers }, (_, i) => codec.get(view, from + codec.bytes * i));
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
  for (const [name, values] of parameters) {
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad < 0) continue;
    throw new ModelFileError(
      `${MODEL_FILE}: expected finite numbers, got ${values[bad]} in tensor '${name}' at ${bad}. Train the model again with a lower learning rate.`,
    );
  }
  return header.model;
}
