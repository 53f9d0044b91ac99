/** The peers, each in its own bundle. A peer that is missing or fails becomes a row with its error. */
import { type Engine, storedVariant } from './engine.ts';

interface Peer {
  readonly bundle: string;
  readonly exported: string;
  readonly peer: boolean;
  readonly trains: boolean;
}

const PEERS: Readonly<Record<string, Peer>> = {
  'jax-js': { bundle: '/jax.js', exported: 'jaxJs', peer: true, trains: true },
  'tfjs-webgpu': { bundle: '/tfjs.js', exported: 'tfjs', peer: true, trains: true },
  'onnx-webgpu': { bundle: '/onnx.js', exported: 'onnxWebgpu', peer: true, trains: false },
  'onnx-wasm-1': { bundle: '/onnx.js', exported: 'onnxWasm1', peer: false, trains: false },
  'onnx-wasm': { bundle: '/onnx.js', exported: 'onnxWasm', peer: false, trains: false },
};

/** Entry points of the bundles, by the path that the page requests. */
export const peerBundles: Readonly<Record<string, string>> = {
  '/jax.js': 'bench/engines/jax.ts',
  '/tfjs.js': 'bench/engines/tfjs.ts',
  '/onnx.js': 'bench/engines/onnx.ts',
};

/** An engine whose module is loaded on first use, from where `addressOf` says that its bundle is. */
function deferred(
  name: string,
  { bundle, exported, peer, trains }: Peer,
  addressOf: (bundle: string) => string,
): Engine {
  return {
    name,
    peer,
    gpu: peer,
    variants: (task) => ((task.kind === 'forward' ? !task.kernels : trains) ? [storedVariant(task)] : []),
    async prepare(task, variant, data) {
      const module = (await import(addressOf(bundle))) as Record<string, Engine>;
      return module[exported]!.prepare(task, variant, data);
    },
  };
}

/** In a page, which asks its server for the bundles. */
export const peers: readonly Engine[] = Object.entries(PEERS).map(([name, peer]) => deferred(name, peer, String));

/** Bundles that run in Node too. ONNX Runtime Web fetches files beside its page. */
export const nodeBundles: readonly string[] = ['/jax.js', '/tfjs.js'];

export const nodePeers = (addressOf: (bundle: string) => string): readonly Engine[] =>
  Object.entries(PEERS)
    .filter(([, { bundle }]) => nodeBundles.includes(bundle))
    .map(([name, peer]) => deferred(name, peer, addressOf));
