import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Topologies import the package by its name, as users do; tests run them against the sources.
const alias = [
  { find: /^millrace$/, replacement: at('./src/index.ts') },
  { find: /^millrace\/(connect|ml|operator|run|testing|window)$/, replacement: at('./src/$1.ts') },
  { find: /^millrace\/connectors\/([^/]+)$/, replacement: at('./connectors/$1/index.ts') },
];

const common = { pool: 'forks' as const, testTimeout: 30_000, hookTimeout: 60_000 };

const unitTests = readdirSync(at('./test'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts') && !/^(integration|e2e|sim)\//.test(path))
  .map((path) => `test/${path}`);

/** Folders of tests that load native engines, open ports or start processes. */
const ownFolders = /^test\/(api|cli|fuzz|inference|profiles|run|secrets|verify)\//;
/** What is of the whole process: its environment, modules, timers, listeners and memory, and an engine that is there once. */
const ofProcess =
  /vi\.(mock|doMock|stubEnv|stubGlobal|useFakeTimers)\(|vi\.spyOn\([A-Z]|process\.(env|on|once|emit|chdir|memoryUsage)\b|\/proc\/self|chdb|memory-kafka|'node:(child_process|v8)'/;
/** Whether a test changes, measures or loads what others in its process would see. */
const needsProcess = (path: string) => ownFolders.test(path) || ofProcess.test(readFileSync(at(path), 'utf8'));

/**
 * The longest of the integration tests, the longest first: what begins last must be short, or one core waits for it. Those of `flights`
 * take turns, so they begin far from each other.
 */
const longest = [
  'chaos/chaos',
  'flights/kafka-kill',
  'faults/faults',
  'kafka/group',
  'cli/verify-outputs',
  'e2e/verify',
  'e2e/kill',
  'cli/verify',
  'e2e/no-leak',
  'flights/two-profiles',
  'cli/processes',
  'page/load',
  'cli/global-tables',
  'kafka/security',
  'transfers/transfers',
  'e2e/fuzz',
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return place < 0 ? longest.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  resolve: { alias },
  test: {
    // Every core: by itself it would leave one free, which of two is half.
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    projects: [
      // Each file in a process of its own: what a change runs.
      { resolve: { alias }, test: { ...common, name: 'unit', include: unitTests } },
      // The same files, as `npm test` runs them. Most share a process for each core: a start of one takes longer than their tests.
      { resolve: { alias }, test: { ...common, name: 'own', include: unitTests.filter(needsProcess) } },
      {
        resolve: { alias },
        test: {
          ...common,
          name: 'shared',
          include: unitTests.filter((path) => !needsProcess(path)),
          isolate: false,
        },
      },
      {
        resolve: { alias },
        // No limit of time shows anything: it has a clock of its own, and `npm test` gives it what others leave of the cores.
        test: {
          ...common,
          name: 'sim',
          include: ['test/sim/**/*.test.ts'],
          testTimeout: 300_000,
          isolate: false,
          maxConcurrency: 2,
        },
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
