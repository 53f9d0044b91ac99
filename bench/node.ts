/** The bench in Node, without a browser: our own engines, and the peers that run there. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { cache } from '../scripts/setup.mjs';
import { conformance } from '../src/conformance/conformance.ts';
import { nodeGpu } from '../src/node.ts';
import { adapterFacts } from './adapter-facts.ts';
import { bundle } from './bundle.ts';
import type { Engine } from './engines/engine.ts';
import { nodeBundles, nodePeers, peerBundles } from './engines/peers.ts';
import { stored } from './engines/stored.ts';
import { weightless } from './engines/weightless.ts';
import { weightlessCpu, weightlessCpu1 } from './engines/weightless-cpu.ts';
import { ourContext, useGpu } from './gpu.ts';
import { runKernels } from './kernel/run.ts';
import { runMemory, runTask } from './session.ts';
import type { Target } from './target.ts';
import { runMicro } from './tasks/micro.ts';

const ours: readonly Engine[] = [weightless, weightlessCpu1, weightlessCpu, stored];

/** The peers as modules in files. They look for WebGPU where a page has it. */
async function openPeers(gpu: GPU): Promise<readonly Engine[]> {
  const wanted = Object.fromEntries(nodeBundles.map((path) => [path, peerBundles[path]!]));
  const folder = join(cache, 'peers');
  mkdirSync(folder, { recursive: true });
  const fileOf = (path: string) => join(folder, path.replace(/^\/(.*)\.js$/, '$1.mjs'));
  for (const [path, code] of await bundle(wanted, 'node')) writeFileSync(fileOf(path), code);
  const navigator = { gpu, userAgent: `Node.js/${process.versions.node}`, hardwareConcurrency: cpus().length };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  return nodePeers((path) => pathToFileURL(fileOf(path)).href);
}

/** `peers`: whether to run engines of others too. */
export async function openNode({ peers = false }: { peers?: boolean } = {}): Promise<Target> {
  const gpu = await nodeGpu();
  useGpu(gpu);
  const context = await ourContext();
  const engines = [...ours, ...(peers ? await openPeers(gpu) : [])];
  return {
    environment: async () => ({ ...adapterFacts(context), node: process.version, cores: cpus().length }),
    runTask: (task, options, onProgress) => runTask(engines, task, options, onProgress),
    runMicro,
    runConformance: () => conformance(context),
    runKernels,
    runMemory: (task, filter) => runMemory(engines, task, filter),
    runFirst: async () => [],
    close: async () => {},
  };
}
