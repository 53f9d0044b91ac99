import { defineConfig } from 'vitest/config';
import { viteWgsl } from './scripts/wgsl.mjs';
import { softwareDriver } from './src/node.ts';

// Tests on the GPU run in one process a project: Dawn keeps threads that outlive a worker thread, a software adapter compiles on
// one core, and the files of a process share its device, pipelines (test/gpu.ts) and browsers (test/browser/harness.ts). `npm test`
// runs projects side by side.
const shared = {
  pool: 'forks',
  isolate: false,
  maxWorkers: 1,
  setupFiles: ['test/setup.ts'],
  testTimeout: 120_000,
  hookTimeout: 120_000,
} as const;

/** What runs on both compilers: on Tint in Node, on naga in Deno. */
const kernels = ['test/kernels/*.test.ts', 'test/context.test.ts', 'test/conformance.test.ts'];

/** What starts the command line again and again, and so waits for processes. */
const commandLine = [
  ...['test/*cli*.test.ts', 'test/train-card.test.ts', 'test/whole-model.test.ts', 'test/own-data.test.ts'],
  'test/package*.test.ts',
];

const nodeProjects = [
  {
    plugins: [viteWgsl()],
    test: { ...shared, name: 'kernels', include: kernels },
  },
  {
    plugins: [viteWgsl()],
    test: {
      ...shared,
      name: 'node',
      include: ['test/**/*.test.ts'],
      exclude: ['**/node_modules/**', 'test/browser/**', ...kernels, ...commandLine],
    },
  },
  {
    plugins: [viteWgsl()],
    test: { ...shared, name: 'cli', include: commandLine },
  },
  {
    plugins: [viteWgsl()],
    test: { ...shared, name: 'browser', include: ['test/browser/**/*.test.ts'] },
  },
  {
    plugins: [viteWgsl()],
    test: { ...shared, name: 'long', include: ['test/**/*.long.ts'], testTimeout: 900_000 },
  },
];

// What runs in Deno, whose WebGPU is wgpu, with naga as the compiler. It takes any Vulkan driver that it finds first: name one.
const driver = process.env.WEIGHTLESS_ADAPTER === 'hardware' ? undefined : softwareDriver();
const naga = {
  ...shared,
  testTimeout: 400_000, // naga's shaders are compiled slowly on SwiftShader where the machine is busy
  env: driver ? { VK_ICD_FILENAMES: driver } : {},
};
const denoProjects = [
  {
    plugins: [viteWgsl()],
    test: { ...naga, name: 'naga', include: kernels },
  },
  {
    plugins: [viteWgsl()],
    test: { ...naga, name: 'naga-long', include: ['test/ops.test.ts'] },
  },
];

export default defineConfig({ test: { projects: 'Deno' in globalThis ? denoProjects : nodeProjects } });
