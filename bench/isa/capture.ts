/** Captures the shaders that peers compile for a layer, from their own calls in headless Chrome. */
import { type BrowserOptions, htmlPage, launch, serve } from '../browser.ts';
import { bundle } from '../bundle.ts';
import { peerBundles, peers } from '../engines/peers.ts';
import { progress } from '../progress.ts';
import type { ForwardTask } from '../tasks/forward.ts';
import type { Captured } from './page.ts';

export interface PeerKernel extends Captured {
  readonly engine: string;
  readonly task: ForwardTask;
}

/** Every compute pipeline of every peer, for each task. Reports a failing peer on stderr. */
export async function capturePeers(tasks: readonly ForwardTask[], options: BrowserOptions): Promise<PeerKernel[]> {
  const files = await bundle({ '/isa.js': 'bench/isa/page.ts', ...peerBundles });
  files.set('/', htmlPage('isa', '/isa.js'));
  const { server, url } = await serve(files);
  const browser = await launch(options, url);
  const found: PeerKernel[] = [];
  const engines = peers.filter(({ gpu }) => gpu);
  const bar = progress(engines.length * tasks.length);
  try {
    for (const [i, { name: engine }] of engines.entries()) {
      for (const [j, task] of tasks.entries()) {
        bar.update(i * tasks.length + j, `capturing ${engine}`);
        // A fresh page each time, so that the engine has compiled nothing yet.
        const page = await browser.newPage();
        try {
          await page.goto(`${url}/`);
          await page.waitForFunction('globalThis.capture');
          const kernels = await page.evaluate((engine, task) => globalThis.capture(engine, task), engine, task);
          found.push(...kernels.map((kernel) => ({ ...kernel, engine, task })));
        } catch (error) {
          console.error(
            `bench: ${engine} ${task.m} x ${task.k} x ${task.n}: ${(error as Error).message.split('\n')[0]}`,
          );
        }
        await page.close();
      }
    }
  } finally {
    bar.stop();
    await browser.close();
    server.close();
  }
  return found;
}
