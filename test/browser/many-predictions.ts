/** Runs many predictions in a page and measures what they leave behind, with or without a deliberate leak. */
import type { Page } from 'puppeteer-core';
import { type BrowserName, openPage } from './harness.ts';
import { ownMemory, steadyGrowth, steadyGrowthOfAll } from './own-memory.ts';

/**
 * Runs in the page: wraps the browser's own calls, not ours, to record every object that they create. It counts the
 * bytes of buffers that were not destroyed. A weak reference to each object shows after a garbage collection whether
 * the object is still alive.
 */
const WATCH = `globalThis.watched = { bytes: 0, made: 0, objects: [] };
  const seen = (object) => {
    if (object && typeof object === 'object') watched.objects.push({ kind: object.constructor.name, ref: new WeakRef(object) });
    return object;
  };
  for (const Class of [GPUDevice, GPUCommandEncoder, GPUComputePipeline, GPUBuffer]) {
    for (const name of ['finish', ...Object.getOwnPropertyNames(Class.prototype).filter((name) => /^(create|begin|getBindGroupLayout)/.test(name))]) {
      const method = Class.prototype[name];
      if (!method) continue;
      Class.prototype[name] = function (...args) {
        const made = method.apply(this, args);
        return made instanceof Promise ? made.then(seen) : seen(made);
      };
    }
  }
  const { createBuffer } = GPUDevice.prototype;
  const { destroy } = GPUBuffer.prototype;
  const alive = new WeakMap();
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const buffer = createBuffer.call(this, descriptor);
    alive.set(buffer, descriptor.size);
    watched.made += 1;
    watched.bytes += descriptor.size;
    return buffer;
  };
  GPUBuffer.prototype.destroy = function () {
    watched.bytes -= alive.get(this) ?? 0;
    alive.delete(this);
    return destroy.call(this);
  };`;

/** Runs in the page: typical leaks of a library, one object per prediction (which creates one buffer for reading). */
const LEAKS = {
  nothing: '',
  buffer: `const readable = GPUDevice.prototype.createBuffer;
    GPUDevice.prototype.createBuffer = function (descriptor) {
      const buffer = readable.call(this, descriptor);
      if (descriptor.usage & GPUBufferUsage.MAP_READ) {
        buffer.destroy = () => {};
        kept.push(buffer);
      }
      return buffer;
    };`,
  'bind group': `const { createBindGroup } = GPUDevice.prototype;
    const readable = GPUDevice.prototype.createBuffer;
    let descriptorOfLast;
    GPUDevice.prototype.createBindGroup = function (descriptor) {
      descriptorOfLast = descriptor;
      return createBindGroup.call(this, descriptor);
    };
    GPUDevice.prototype.createBuffer = function (descriptor) {
      if (descriptor.usage & GPUBufferUsage.MAP_READ) kept.push(createBindGroup.call(this, descriptorOfLast));
      return readable.call(this, descriptor);
    };`,
};
export type Leak = keyof typeof LEAKS;

const SETTING = `(async () => {
  const w = await import('./weightless.js');
  const model = w.sequential([w.halfDense({ units: 64 }), w.dense({ units: 10 })], { input: [100], seed: 3 });
  const x = Float32Array.from({ length: 100 }, (_, i) => Math.sin(i));
  const context = await w.createContext({ backend: 'webgpu' });
  const predictor = await w.createPredictor(context, model);
  globalThis.predict = async (count) => {
    for (let i = 0; i < count; i++) await predictor.predict(x);
  };
  globalThis.count = () => {
    watched.objects = watched.objects.filter(({ ref }) => ref.deref());
    const objects = {};
    for (const { kind } of watched.objects) objects[kind] = (objects[kind] ?? 0) + 1;
    return { bytes: watched.bytes, counted: context.memory.bytes, pipelines: context.pipelines.size, objects };
  };
})()`;

/** Runs a full garbage collection. Returns the bytes that scripts hold, if the browser reports them (Chromium). */
async function collect(name: BrowserName, page: Page): Promise<number> {
  if (name === 'Firefox') {
    // First scripts, then cycles of scripts and browser objects, then the wrappers of these objects.
    for (let i = 0; i < 3; i++) await page.evaluate('TestUtils.gc().then(() => {})');
    return 0;
  }
  const session = await page.createCDPSession();
  await session.send('HeapProfiler.collectGarbage');
  const used = (await page.metrics()).JSHeapUsedSize!;
  await session.detach();
  return used;
}

interface Count {
  /** Bytes of buffers that are not destroyed: from the browser's calls, and from the context's own count. */
  readonly bytes: number;
  readonly counted: number;
  readonly pipelines: number;
  /** Live WebGPU objects, by class. */
  readonly objects: Readonly<Record<string, number>>;
}

export interface Behind {
  /** After each part. */
  readonly counts: readonly Count[];
  readonly errors: readonly string[];
  /** Total number of buffers created. */
  readonly made: number;
  /** Steady growth in bytes per prediction: of script memory (Chromium), and of all processes' memory (Linux). */
  readonly heap: number;
  readonly memory: number;
}

const WARM_UP = 500;
const PARTS = 20;

/**
 * Runs 500 predictions to warm up, in which scripts are compiled, then `predictions` in twenty parts, each followed by
 * a garbage collection.
 */
export async function predictMany(name: BrowserName, predictions: number, leak: Leak = 'nothing'): Promise<Behind> {
  const { page, url, errors } = await openPage(name);
  await page.evaluateOnNewDocument(`globalThis.kept = []; ${WATCH} { ${LEAKS[leak]} }`);
  await page.goto(url('blank.html'));
  await page.evaluate(SETTING);
  await page.evaluate(`predict(${WARM_UP})`);
  const pid = page.browser().process()!.pid!;
  const counts: Count[] = [];
  const heap: number[] = [];
  const memory: ReadonlyMap<number, number>[] = [];
  for (let i = 0; i < PARTS; i++) {
    await page.evaluate(`predict(${predictions / PARTS})`);
    heap.push(await collect(name, page));
    counts.push((await page.evaluate('count()')) as Count);
    memory.push(process.platform === 'linux' ? ownMemory(pid) : new Map());
  }
  const made = (await page.evaluate('watched.made')) as number;
  const each = PARTS / predictions;
  const behind = { heap: steadyGrowth(heap) * each, memory: steadyGrowthOfAll(memory) * 1024 * each };
  const total = (one: ReadonlyMap<number, number>) =>
    [...one.values()].reduce((sum, kibibytes) => sum + kibibytes, 0) / 1024;
  console.log(
    `${name}, ${predictions} predictions, ${leak} leaked on purpose: ${behind.heap.toFixed(1)} bytes a prediction more in scripts, ` +
      `${behind.memory.toFixed(0)} in all processes (${memory.map((one) => total(one).toFixed(1)).join(' ')} MiB); at the end ` +
      JSON.stringify(counts.at(-1)),
  );
  return { ...behind, counts, errors, made };
}
