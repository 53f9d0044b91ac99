/** `weightless doctor`: what this machine offers to compute on, and how to get what is missing. */
import { existsSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { adapterName } from '../../src/backend/adapter.ts';
import { WeightlessError } from '../../src/core/errors.ts';
import { kernelModules } from '../../src/cpu/module.ts';
import { nodeGpu, softwareDriver } from '../../src/node.ts';
import { createContext } from '../../src/open.ts';
import { print, table } from '../common/output.ts';

interface Finding {
  readonly what: string;
  readonly found: boolean;
  readonly detail: string;
}

const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/usr/bin/chromium-browser',
  '/Applications/Google Chrome.app',
];
const DRIVER_FOLDERS = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'];

/** Prints the findings. Resolves to whether the GPU or the CPU can compute. */
export async function doctorCommand({ json }: { json?: boolean }): Promise<boolean> {
  const findings: Finding[] = [];
  const say = (what: string, found: boolean, detail: string) => findings.push({ what, found, detail });
  say('Node', true, `${process.version} on ${process.platform} ${process.arch}`);
  const browser = BROWSERS.find((path) => existsSync(path));
  say(
    'browser with WebGPU',
    browser !== undefined,
    browser ?? 'none in the usual places. Debian: apt-get install chromium',
  );
  const software = softwareDriver();
  say(
    'software driver (SwiftShader)',
    software !== undefined,
    software ?? "comes with Debian's chromium: apt-get install chromium",
  );
  if (process.platform === 'linux') {
    const drivers = DRIVER_FOLDERS.flatMap((folder) => (existsSync(folder) ? readdirSync(folder) : []));
    const hint = 'none. For a GPU install its driver: mesa-vulkan-drivers (AMD, Intel), or nvidia-driver';
    say('Vulkan drivers', drivers.length > 0, drivers.join(', ') || hint);
  }
  let usable = false;
  try {
    const { relaxed } = await kernelModules();
    const cores = availableParallelism();
    const simd = relaxed ? 'SIMD and relaxed SIMD' : 'SIMD';
    say('CPU', true, `WebAssembly ${simd} on ${cores} core${cores === 1 ? '' : 's'}`);
    usable = true;
  } catch (error) {
    say('CPU', false, `no WebAssembly SIMD: ${(error as Error).message}`);
  }
  try {
    const gpu = await nodeGpu();
    for (const powerPreference of ['high-performance', 'low-power'] as const) {
      const context = await createContext({ gpu, powerPreference });
      const { limits, features } = context.device;
      const megabytes = Math.round(limits.maxStorageBufferBindingSize / 2 ** 20);
      const words = [`${adapterName(context.adapter)}`, `bindings up to ${megabytes} MiB`, [...features].join(', ')];
      say(`adapter, ${powerPreference}`, true, words.filter(Boolean).join('; '));
      context.dispose();
      usable = true;
    }
  } catch (error) {
    if (!(error instanceof WeightlessError)) throw error;
    say('adapter', false, error.message);
  }
  print(json, { usable, findings }, () =>
    table(
      ['', 'what', 'detail'],
      findings.map(({ what, found, detail }) => [found ? 'ok' : 'missing', what, detail]),
    ),
  );
  return usable;
}
