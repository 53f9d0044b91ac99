/** Model files, from memory or from an address: the backend opens and kernels compile while the bytes arrive. */

import type { Backend } from '../backend/backend.ts';
import { toBytes } from '../core/arrays.ts';
import { LoadError } from '../core/errors.ts';
import { nodeModule } from '../core/node-modules.ts';
import { expectOptions } from '../core/options.ts';
import { expectWhole } from '../model/container.ts';
import type { ModelLimits } from '../model/limits.ts';
import { MODEL_FILE, UnknownLayerError } from '../model/metadata.ts';
import type { Model } from '../model/model.ts';
import { readHeader, readModel } from '../model/safetensors.ts';
import { kindModules } from './kind-modules.ts';
import { createPredictor, type Predictor } from './predictor.ts';

export interface LoadOptions {
  /** Bytes received so far, and those of the whole file once its header is known. */
  onProgress?: (loaded: number, total: number | undefined) => void;
  signal?: AbortSignal;
  /** What one prediction of the model may cost: raise it for a large model whose source you trust. */
  limits?: ModelLimits;
}

/** A model file: its address, its bytes, a Blob or File, or a Response. In Node a path or a file: URL, too. */
export type ModelSource = string | URL | ArrayBuffer | ArrayBufferView | Blob | Response;

type NodeFiles = { open(path: string | URL): Promise<{ createReadStream(): BodyInit }> };

/**
 * Puts a model file on a backend, compiled for one input. Given a promise of the backend and an address, opening and downloading
 * overlap: `loadModel(createContext(), 'digits.safetensors')`.
 * Throws `LoadError` (network, HTTP status), `ModelFileError` (not a model, or truncated), the errors of the backend, or the
 * signal's reason.
 */
export async function loadModel(
  backend: Backend | Promise<Backend>,
  file: ModelSource,
  options: LoadOptions = {},
): Promise<Predictor> {
  expectOptions('loadModel', options, { onProgress: 'function', signal: 'object', limits: 'object' });
  const { onProgress, signal, limits } = options;
  signal?.throwIfAborted();
  const stop = new AbortController(); // the first failure stops the rest
  const abort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  let compiled: Promise<void> | undefined;
  const onHeader = (model: Model) => {
    compiled = Promise.resolve(backend).then((opened) => opened.compile(model));
    compiled.catch(() => {});
  };
  const bytes = open(file, stop.signal).then((opened) =>
    opened instanceof Uint8Array ? opened : download(opened, { onProgress, onHeader, limits, signal: stop.signal }),
  );
  try {
    const [opened, data] = await Promise.all([backend, bytes]);
    const predictor = await createPredictor(
      opened,
      await withItsLayers(() => readModel(data, { ...(limits && { limits }) })),
    );
    await compiled?.catch(() => {}); // `prepare` throws its error again, and finds the rest compiled
    try {
      await predictor.prepare(1);
      signal?.throwIfAborted();
      return predictor;
    } catch (error) {
      await predictor.dispose();
      throw error;
    }
  } catch (error) {
    stop.abort();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Reads a file and imports the kinds of layers that the library has not loaded yet. */
export async function withItsLayers<T>(read: () => T, loaded = new Set<string>()): Promise<T> {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnknownLayerError)) throw error;
    const kind = String(error.kind);
    if (!Object.hasOwn(kindModules, kind) || loaded.has(kind)) throw error;
    await kindModules[kind as keyof typeof kindModules]();
    return withItsLayers(read, loaded.add(kind));
  }
}

interface DownloadOptions {
  readonly onProgress: LoadOptions['onProgress'];
  readonly onHeader: (model: Model) => void;
  readonly limits: ModelLimits | undefined;
  readonly signal: AbortSignal;
}

const failed = (source: string, message: string, status?: number) =>
  new LoadError(`${source}: expected a model file, ${message}`, source, status);

/** The response that brings a file, or its bytes where they are there already. */
async function open(file: ModelSource, signal: AbortSignal): Promise<Response | Uint8Array> {
  const tag = Object.prototype.toString.call(file).slice(8, -1); // `instanceof` fails for objects of another realm
  if (ArrayBuffer.isView(file) || tag === 'ArrayBuffer') return toBytes(file as ArrayBuffer);
  if (tag === 'Blob' || tag === 'File') {
    const body = (file as Blob).stream?.();
    if (!body) throw failed('loadModel', 'got a Blob without stream(), as in jsdom. Pass its bytes');
    return { ok: true, body } as Response;
  }
  if (tag === 'Response') return file as Response;
  if (tag !== 'String' && tag !== 'URL') throw failed('loadModel', `its address or its bytes, got ${tag}`);
  const url = String(file);
  try {
    const read =
      !('location' in globalThis) &&
      !/^(https?|data|blob):/i.test(url) &&
      nodeModule<NodeFiles>('node:fs/promises')?.open;
    if (!read) return await fetch(url, { signal });
    // Chunk by chunk, so that a device or a huge file is refused by its first bytes.
    return new Response((await read(/^file:/i.test(url) ? new URL(url) : url)).createReadStream());
  } catch (error) {
    signal.throwIfAborted();
    throw failed(url, `could not read it: ${(error as Error).message}`);
  }
}

async function download(
  response: Response,
  { onProgress, onHeader, limits, signal }: DownloadOptions,
): Promise<Uint8Array> {
  const url = response.url || 'response';
  if (!response.ok) {
    throw failed(url, `got HTTP status ${response.status} ${response.statusText}`.trimEnd(), response.status);
  }
  if (response.bodyUsed) throw failed(url, 'its body was read before');
  if (!response.body) return new Uint8Array();
  const reader = response.body.getReader();
  let bytes = new Uint8Array(2 ** 16);
  let loaded = 0;
  let total: number | undefined;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error) => {
        signal.throwIfAborted();
        throw failed(url, `could not read it: ${(error as Error).message}`);
      });
      if (done) return bytes.subarray(0, loaded);
      if (loaded + value.length > bytes.length) {
        const larger = new Uint8Array(2 * (loaded + value.length));
        larger.set(bytes);
        bytes = larger;
      }
      bytes.set(value, loaded);
      loaded += value.length;
      if (total === undefined) {
        const header = await withItsLayers(() => readHeader(bytes.subarray(0, loaded), limits));
        if ('model' in header) {
          total = header.fileBytes;
          onHeader(header.model);
        }
      }
      if (total !== undefined && loaded > total) expectWhole(MODEL_FILE, { fileBytes: total }, loaded); // or it may never end
      onProgress?.(loaded, total);
    }
  } catch (error) {
    reader.cancel().catch(() => {});
    throw error;
  }
}
