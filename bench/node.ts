/** The bench in Node: only our own engines, without a browser. */
import { cpus } from 'node:os';
import { adapterName } from '../src/backend/adapter.ts';
import { nodeGpu } from '../src/node.ts';
import type { Engine } from './engines/engine.ts';
import { stored } from './engines/stored.ts';
import { weightless } from './engines/weightless.ts';
import { weightlessCpu, weightlessCpu1 } from './engines/weightless-cpu.ts';
import { ourContext, useGpu } from './gpu.ts';
import { runMemory, runTask } from './session.ts';
import type { Target } from './target.ts';
import { runMicro } from './tasks/micro.ts';

const engines: readonly Engine[] = [weightless, weightlessCpu1, weightlessCpu, stored];

export async function openNode(): Promise<Target> {
  useGpu(await nodeGpu());
  const { adapter, device } = await ourContext();
  return {
    environment: async () => ({
      adapter: adapterName(adapter),
      software: adapter.software,
      features: [...device.features].sort(),
      node: process.version,
      cores: cpus().length,
    }),
    runTask: (task, options, onProgress) => runTask(engines, task, options, onProgress),
    runMicro,
    runMemory: (task, filter) => runMemory(engines, task, filter),
    runFirst: async () => [],
    close: async () => {},
  };
}
