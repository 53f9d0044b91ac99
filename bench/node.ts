/** The bench in Node: only our own engines, without a browser. */
import { cpus } from 'node:os';
import { nodeGpu } from '../src/node.ts';
import { adapterFacts } from './adapter-facts.ts';
import type { Engine } from './engines/engine.ts';
import { stored } from './engines/stored.ts';
import { weightless } from './engines/weightless.ts';
import { weightlessCpu, weightlessCpu1 } from './engines/weightless-cpu.ts';
import { ourContext, useGpu } from './gpu.ts';
import { runKernels } from './kernel/run.ts';
import { runMemory, runTask } from './session.ts';
import type { Target } from './target.ts';
import { runMicro } from './tasks/micro.ts';

const engines: readonly Engine[] = [weightless, weightlessCpu1, weightlessCpu, stored];

export async function openNode(): Promise<Target> {
  useGpu(await nodeGpu());
  const context = await ourContext();
  return {
    environment: async () => ({
      ...adapterFacts(context),
      node: process.version,
      cores: cpus().length,
    }),
    runTask: (task, options, onProgress) => runTask(engines, task, options, onProgress),
    runMicro,
    runKernels,
    runMemory: (task, filter) => runMemory(engines, task, filter),
    runFirst: async () => [],
    close: async () => {},
  };
}
