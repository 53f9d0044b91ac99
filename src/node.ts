/**
 * WebGPU in Node, by the npm package `webgpu` (Dawn), and in Deno, which has its own (wgpu). A separate entry point,
 * `weightless-gpu/node`: browsers never load it.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NoAdapterError } from './core/errors.ts';
import { cacheFolder, writeWhole } from './core/files.ts';
import type { TuneMemory } from './gpu/tuner.ts';

/** Where Debian's and Chrome's packages put the manifest of SwiftShader, the Vulkan driver that computes on the CPU. */
const SWIFTSHADER_MANIFESTS = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
];

/** The manifest of a software Vulkan driver on this machine, if there is one. */
export function softwareDriver(): string | undefined {
  return SWIFTSHADER_MANIFESTS.find((path) => existsSync(path));
}

let shared: Promise<GPU> | undefined; // Dawn aborts the process if what create() returned is collected

/**
 * A `GPU` for `createContext({ gpu })`. Prefers a real GPU; without one it uses SwiftShader from an installed Chromium.
 * In Deno it returns `navigator.gpu`. Throws `NoAdapterError` if the package or every driver is missing.
 */
export function nodeGpu(): Promise<GPU> {
  shared ??= open();
  return shared;
}

async function open(): Promise<GPU> {
  process.env.XDG_RUNTIME_DIR ??= '/tmp'; // the Vulkan loader complains without one
  if (globalThis.navigator?.gpu) return navigator.gpu;
  let webgpu: typeof import('webgpu');
  try {
    webgpu = await import('webgpu');
  } catch (error) {
    throw new NoAdapterError(
      `expected the npm package 'webgpu' (WebGPU for Node), could not load it: ${(error as Error).message}. Run: npm install webgpu`,
    );
  }
  Object.assign(globalThis, webgpu.globals);
  const hardware = webgpu.create([]);
  keepAlive.push(hardware);
  if (await hardware.requestAdapter({ powerPreference: 'high-performance' })) return hardware;
  const driver = softwareDriver();
  if (driver && !process.env.VK_ICD_FILENAMES) {
    process.env.VK_ICD_FILENAMES = driver;
    const software = webgpu.create([]);
    keepAlive.push(software);
    if (await software.requestAdapter()) return software;
  }
  throw new NoAdapterError(
    'expected a graphics driver that WebGPU can use, found none. On Debian or Ubuntu: apt-get install chromium libvulkan1 ' +
      '(brings the software driver SwiftShader), or install the driver of your GPU. `weightless doctor` says more.',
  );
}

const keepAlive: GPU[] = [];

/**
 * Stores the measurements of `createContext({ tune: tuneFile() })` in a JSON file, by default in the user's cache
 * folder. A damaged file counts as empty.
 */
export function tuneFile(path: string = join(cacheFolder(), 'weightless', 'tuned-kernels.json')): TuneMemory {
  const read = async (): Promise<Record<string, string>> => {
    try {
      return { ...JSON.parse(await readFile(path, 'utf8')) };
    } catch {
      return {};
    }
  };
  return {
    get: async (key) => (await read())[key],
    async set(key, value) {
      await mkdir(dirname(path), { recursive: true });
      await writeWhole(path, `${JSON.stringify({ ...(await read()), [key]: value }, null, 1)}\n`);
    },
  };
}
