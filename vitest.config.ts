import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Topologies import the package by its name, as users do; tests run them against the sources.
const alias = [
  { find: /^millrace$/, replacement: at('./src/index.ts') },
  { find: /^millrace\/(connect|ml|operator|run|testing|window)$/, replacement: at('./src/$1.ts') },
  { find: /^millrace\/connectors\/([^/]+)$/, replacement: at('./connectors/$1/index.ts') },
];

// Native modules (onnxruntime-node, chdb) must not be loaded twice into one process: every file gets its own.
const common = { pool: 'forks' as const, testTimeout: 30_000, hookTimeout: 60_000 };

export default defineConfig({
  resolve: { alias },
  test: {
    // Every core: by itself it would leave one free, which of two is half.
    maxWorkers: '100%',
    projects: [
      {
        resolve: { alias },
        test: {
          ...common,
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/integration/**', 'test/e2e/**', 'test/sim/**'],
        },
      },
      {
        resolve: { alias },
        test: { ...common, name: 'sim', include: ['test/sim/**/*.test.ts'] },
      },
      {
        resolve: { alias },
        test: {
          ...common,
          name: 'integration',
          include: ['test/integration/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          // They wait for time-outs and restarts most of the time: more of them at once than there are cores.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
