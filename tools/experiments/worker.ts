/** A child process of an experiment: makes one run after another, as it is told. */

import { type BackendChoice, Lab } from './lab.ts';
import type { Measured, RunSpec } from './spec.ts';
import { experimentNamed } from './table.ts';

/** What a child says. */
export type Answer =
  | { readonly kind: 'ready'; readonly backend: 'webgpu' | 'cpu'; readonly info: string }
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'result'; readonly measured: Measured }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };

/** Milliseconds between two words on progress. */
const TELL_EVERY = 200;

/** Serves the parent until it hangs up. */
export async function workerCommand(name: string, backend: BackendChoice): Promise<void> {
  if (!process.send) throw new Error('expected to be started by an experiment');
  const say = (answer: Answer) => void process.send?.(answer);
  process.on('disconnect', () => process.exit(0)); // the parent is gone
  if (!process.connected) process.exit(0); // and was before anyone listened
  const failed = (error: unknown) => {
    const { name, message } = error as Error;
    say({ kind: 'failed', name, message });
  };
  const experiment = experimentNamed(name);
  try {
    const lab = await Lab.open(backend);
    let told = 0;
    lab.onProgress = (share) => {
      if (performance.now() - told < TELL_EVERY) return;
      told = performance.now();
      say({ kind: 'progress', share });
    };
    process.on('message', (spec: RunSpec) => {
      const measured = experiment.measure ? experiment.measure(lab, spec) : lab.train(spec);
      measured.then((measured) => say({ kind: 'result', measured }), failed);
    });
    say({ kind: 'ready', backend: lab.main.backend, info: lab.main.info });
  } catch (error) {
    failed(error);
  }
  await new Promise(() => {}); // leaves by 'disconnect'
}
