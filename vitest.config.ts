import { defineConfig } from 'vitest/config';
import { viteWgsl } from './scripts/wgsl.mjs';
import { softwareDriver } from './src/node.ts';

// Tests on the GPU run in two processes: Dawn keeps threads that outlive a worker thread. The files that one of them runs share
// its device, pipelines (test/gpu.ts) and browsers (test/browser/harness.ts).
const shared = {
  pool: 'forks',
  isolate: false,
  maxWorkers: 2,
  setupFiles: ['test/setup.ts'],
  testTimeout: 120_000,
  hookTimeout: 120_000,
} as const;

const nodeProjects = [
  {
    plugins: [viteWgsl()],
    test: { ...shared, name: 'node', include: ['test/**/*.test.ts'], exclude: ['test/browser/**'] },
  },
  {
    plugins: [viteWgsl()],
    test: { ...shared, name: 'browser', include: ['test/browser/**/*.test.ts'] },
  },
  {
    plugins: [viteWgsl()],
    test: { ...shared, name: 'long', include: ['test/**/*.long.ts'], testTimeout: 900_000, maxWorkers: 1 },
  },
];

// What runs in Deno, whose WebGPU is wgpu, with naga as the compiler. It takes any Vulkan driver that it finds first: name one.
const driver = process.env.WEIGHTLESS_ADAPTER === 'hardware' ? undefined : softwareDriver();
const denoProjects = [
  {
    plugins: [viteWgsl()],
    test: {
      ...shared,
      testTimeout: 400_000, // naga's shaders are compiled slowly on SwiftShader where the machine is busy
      name: 'naga',
      include: ['test/kernels/*.test.ts', 'test/context.test.ts', 'test/conformance.test.ts'],
      env: driver ? { VK_ICD_FILENAMES: driver } : {},
    },
  },
];

export default defineConfig({ test: { projects: 'Deno' in globalThis ? denoProjects : nodeProjects } });
