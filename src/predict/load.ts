/** Loads model files from memory or a URL. The device opens and kernels compile while the bytes arrive. */

import { LoadError } from '../core/errors.ts';
import type { CpuContext } from '../cpu/cpu.ts';
import type { Context } from '../gpu/context.ts';
import type { ModelLimits } from '../model/limits.ts';
import { UnknownLayerError } from '../model/metadata.ts';
import type { Model } from '../model/model.ts';
import { readHeader, readModel } from '../model/safetensors.ts';
import { kindModules } from './kind-modules.ts';
import { compilePredictor, createPredictor, type Predictor } from './predictor.ts';

export interface LoadOptions {
  /** Bytes received so far, and the size of the file once its header has arrived. */
  onProgress?: (loaded: number, total: number | undefined) => void;
  signal?: AbortSignal;
  /** What one prediction of the model may cost: raise it for a large model whose source you trust. */
  limits?: ModelLimits;
}

/**
 * Puts a model file on the device, compiled for one input. Given the promise of a context and an address, everything
 * that can run at the same time does: `loadModel(createContext(), 'digits.safetensors')`. Throws `LoadError` (network,
 * HTTP status), `ModelFileError` (what came is no model, or truncated), what the context throws, or the signal's
 * reason.
 */
export async function loadModel(
  context: Context | CpuContext | Promise<Context | CpuContext>,
  file: string | URL | ArrayBuffer | Uint8Array,
  { onProgress, signal, limits }: LoadOptions = {},
): Promise<Predictor> {
  signal?.throwIfAborted();
  const stop = new AbortController(); // the first failure aborts everything else
  const abort = () => stop.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  let compiled: Promise<void> | undefined;
  const onHeader = (model: Model) => {
    compiled = Promise.resolve(context).then((opened) => compilePredictor(opened, model));
    compiled.catch(() => {});
  };
  const bytes =
    typeof file === 'string' || file instanceof URL
      ? download(file, { onProgress, onHeader, limits, signal: stop.signal })
      : file;
  try {
    const [opened, data] = await Promise.all([context, bytes]);
    const predictor = await createPredictor(
      opened,
      await withItsLayers(() => readModel(data, { ...(limits && { limits }) })),
    );
    await compiled?.catch(() => {}); // `prepare` reports such a failure; everything else is compiled by then
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
async function withItsLayers<T>(read: () => T, loaded = new Set<string>()): Promise<T> {
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

async function download(
  url: string | URL,
  { onProgress, onHeader, limits, signal }: DownloadOptions,
): Promise<Uint8Array> {
  const failed = (error: unknown): never => {
    signal.throwIfAborted();
    throw new LoadError(`${url}: expected a model file, the network failed: ${(error as Error).message}`, String(url));
  };
  const response = await fetch(url, { signal }).catch(failed);
  if (!response.ok) {
    throw new LoadError(
      `${url}: expected a model file, got HTTP status ${response.status} ${response.statusText}`.trimEnd(),
      String(url),
      response.status,
    );
  }
  const reader = response.body!.getReader();
  let bytes = new Uint8Array(2 ** 16);
  let loaded = 0;
  let total: number | undefined;
  for (;;) {
    const { done, value } = await reader.read().catch(failed);
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
    onProgress?.(loaded, total);
  }
}
