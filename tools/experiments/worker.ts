/** A child process of an experiment: makes the runs that its parent sends, one after another. */

import { type BackendChoice, Lab } from './lab.ts';
import type { Measured, RunSpec } from './spec.ts';
import { experimentNamed } from './table.ts';

/** Messages to the parent. */
export type Reply =
  | { readonly kind: 'ready'; readonly backend: 'webgpu' | 'cpu'; readonly info: string }
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'result'; readonly measured: Measured }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };

/** Milliseconds between two reports of progress. */
const REPORT_EVERY = 200;

/** Serves the parent until it disconnects. */
export async function workerCommand(name: string, backend: BackendChoice): Promise<void> {
  if (!process.send) throw new Error('expected to be started by an experiment');
  const send = (reply: Reply) => void process.send?.(reply);
  process.on('disconnect', () => process.exit(0)); // the parent has ended
  if (!process.connected) process.exit(0); // it ended before the line above
  const failed = (error: unknown) => {
    const { name, message } = error as Error;
    send({ kind: 'failed', name, message });
  };
  const experiment = experimentNamed(name);
  try {
    const lab = await Lab.open(backend);
    let reported = 0;
    lab.onProgress = (share) => {
      if (performance.now() - reported < REPORT_EVERY) return;
      reported = performance.now();
      send({ kind: 'progress', share });
    };
    process.on('message', (spec: RunSpec) => {
      const measured = experiment.measure ? experiment.measure(lab, spec) : lab.train(spec);
      measured.then((measured) => send({ kind: 'result', measured }), failed);
    });
    send({ kind: 'ready', backend: lab.main.backend, info: lab.main.info });
  } catch (error) {
    failed(error);
  }
  await new Promise(() => {}); // until 'disconnect'
}
