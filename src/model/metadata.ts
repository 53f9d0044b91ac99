/** The metadata of a model file: which model its tensors belong to. */
import { ModelFileError } from '../core/errors.ts';
import { quoted } from '../core/quote.ts';
import { product } from '../core/shape.ts';
import { kindOf, layerKinds, layerParameters } from '../layers/kinds.ts';
import type { LayerSpec } from '../layers/specs.ts';
import { STREAM_VERSION, splitSeed } from '../weights/stream.ts';
import { asObject, parseJson } from './container.ts';
import { expectWithin, fileLimits, type ModelLimits } from './limits.ts';
import { type Model, placeLayers } from './model.ts';

/** What messages start with. */
export const MODEL_FILE = 'model file';

/** Version of the metadata. */
const FORMAT_VERSION = '1';

const { storedNumbers, inputSizes, depth: mostDepth, layers: mostLayers } = fileLimits;

/** The entries that make up a model; a file may have others. */
export const ownNames = ['format', 'format_version', 'stream_version', 'seed', 'input', 'layers'] as const;

const fail = (message: string): never => {
  throw new ModelFileError(`${MODEL_FILE}: ${message}`);
};

/** The metadata that `modelFromMetadata` reads. */
export const metadataOf = ({ seed, input, layers, metadata }: Model): Record<string, string> => ({
  ...metadata,
  format: 'weightless',
  format_version: FORMAT_VERSION,
  stream_version: String(STREAM_VERSION),
  seed: String(seed),
  input: JSON.stringify(input),
  layers: JSON.stringify(layers),
});

/** The model that the metadata describes, without its parameters. Throws `ModelFileError`. */
export function modelFromMetadata(
  metadata: Readonly<Record<string, unknown>> | undefined,
  limits?: ModelLimits,
): Model {
  if (!metadata) return fail('expected the metadata of a weightless model, got a safetensors file without');
  for (const name of [...ownNames, ...Object.keys(metadata)]) {
    if (typeof metadata[name] === 'string') continue;
    const got = metadata[name] === undefined ? 'nothing' : `${quoted(metadata[name])} (${typeof metadata[name]})`;
    fail(`expected metadata.${name} to be a string, as safetensors files have it, got ${got}`);
  }
  const {
    format,
    format_version,
    stream_version,
    seed: digits,
    input: inputJson,
    layers: layersJson,
    ...others
  } = metadata as Record<string, string>;
  if (format !== 'weightless' || format_version !== FORMAT_VERSION) {
    fail(
      `expected format 'weightless' version ${FORMAT_VERSION}, got ${quoted(format)} version ${quoted(format_version)}`,
    );
  }
  if (stream_version !== String(STREAM_VERSION)) {
    fail(
      `expected weight stream version ${STREAM_VERSION}, got ${quoted(stream_version)}. ` +
        'This release would generate other random weights: use the release of weightless that wrote the file.',
    );
  }
  if (!/^\d{1,20}$/.test(digits!)) fail(`expected the seed as a decimal integer, got ${quoted(digits)}`);
  const big = BigInt(digits!);
  const seed = big <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(big) : big;
  const input = parseJson(MODEL_FILE, 'metadata.input', inputJson);
  const layers = parseJson(MODEL_FILE, 'metadata.layers', layersJson);
  if (!Array.isArray(input) || input.length === 0 || input.length > inputSizes || !input.every(isSize)) {
    return fail(`expected metadata.input to be a list of sizes, got ${quoted(inputJson)}`);
  }
  if (!Array.isArray(layers) || layers.length === 0) return fail('expected metadata.layers to be a list of layers');
  const specs = layers.map((layer, i) => layerFromMetadata(layer, `layer ${i}`));
  try {
    splitSeed(seed);
    const placed = placeLayers({ input, layers: specs });
    if (placed.length > mostLayers) fail(`expected at most ${mostLayers} layers, got ${placed.length}`);
    const numbers = placed.flatMap(layerParameters).reduce((sum, { shape }) => sum + product(shape), 0);
    if (!(numbers <= storedNumbers)) fail(`expected at most ${storedNumbers} numbers, its layers have ${numbers}`);
    expectWithin(input, placed, limits);
  } catch (error) {
    if (error instanceof ModelFileError) throw error;
    fail((error as Error).message);
  }
  const model = { input, layers: specs, seed, parameters: new Map() };
  return Object.keys(others).length ? { ...model, metadata: others } : model;
}

const isSize = (value: unknown) =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= storedNumbers;

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
  if (depth > mostDepth) fail(`expected layers nested at most ${mostDepth} deep`);
  const layer = asObject(MODEL_FILE, what, value);
  const { kind, ...fields } = layer;
  if (typeof kind !== 'string' || !Object.hasOwn(layerKinds, kind)) {
    throw new UnknownLayerError(
      `${MODEL_FILE}: expected ${what} to be one of ${Object.keys(layerKinds).join(', ')}; got ${quoted(layer)}. ` +
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
    return fail(`${what}: ${(error as Error).message}`);
  }
  const names = (fields: object) => Object.keys(fields).sort().join(', ');
  if (names(made) !== names(layer)) fail(`expected ${what} to have ${names(made)}; got ${quoted(layer)}`);
  return made;
}
