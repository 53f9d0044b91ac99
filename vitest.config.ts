import { defineConfig } from 'vitest/config';
import { viteWgsl } from './scripts/wgsl.mjs';

// Tests on the GPU run in processes of their own: Dawn keeps threads that outlive a worker thread.
const shared = { pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000 } as const;

export default defineConfig({
  test: {
    projects: [
      {
        plugins: [viteWgsl()],
        test: { ...shared, name: 'node', include: ['test/**/*.test.ts'], exclude: ['test/browser/**'], maxWorkers: 2 },
      },
      {
        plugins: [viteWgsl()],
        test: { ...shared, name: 'browser', include: ['test/browser/**/*.test.ts'], maxWorkers: 1 },
      },
      {
        plugins: [viteWgsl()],
        test: { ...shared, name: 'long', include: ['test/**/*.long.ts'], testTimeout: 900_000, maxWorkers: 1 },
      },
    ],
  },
});
