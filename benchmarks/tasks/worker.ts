// One process of a topology's group, started by the benchmark, which asks it how far it is.
import { openKafka } from '../../connectors/kafka/open.js';
import { createInference } from '../../src/inference/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { localRegistry } from '../../src/schema/index.js';
import { runAsChild } from '../kafka/child.js';
import { topologies } from './topologies.js';

/** What the process is told on its command line, in JSON. */
export interface WorkerOptions {
  readonly broker: string;
  readonly topology: keyof typeof topologies;
  /** What it reads. */
  readonly topic: string;
  readonly prefix: string;
}

/** What it answers. Times are in milliseconds since it began to connect, with its code loaded. */
export interface WorkerStatus {
  /** The offset that is committed, by the task of the first sub-topology. */
  readonly committed: readonly number[];
  /** Of each task, the first epoch that it committed. */
  readonly firstCommitsMs: readonly number[];
  readonly nowMs: number;
  readonly rssBytes: number;
  /** Of this process since its start, user and system. */
  readonly cpuMs: number;
}

const { broker, topology, topic, prefix } = JSON.parse(process.argv[2] ?? '') as WorkerOptions;
const schemas = localRegistry();
const onWarning = (message: string) => process.stderr.write(`${message}\n`);
const startedMs = performance.now();
const kafka = await openKafka({ brokers: [broker], registry: schemas, prefix, onWarning });
const inference = createInference();
const firstCommitsMs = new Map<number, number>();
await runAsChild(async () => {
  const running = await runTopology(topologies[topology](topic), {
    profile: {
      name: 'tasks',
      sources: { kafka: kafka.source, internal: kafka.internal.source },
      sinks: { kafka: kafka.topicSink, internal: kafka.internal.sink },
      openLedger: kafka.openLedger,
      join: kafka.join,
      schemas,
      close: async () => undefined,
    },
    inference,
    onPoint(point, task, subtopology) {
      if (point !== 'committed' || firstCommitsMs.has(task) || subtopology.includes('/by-')) return;
      firstCommitsMs.set(task, performance.now() - startedMs);
    },
    onWarning,
  });
  process.on('message', () => {
    const committed: number[] = [];
    for (const { partition, positions } of running.snapshot().tasks) {
      const offset = positions.visits?.offset;
      if (offset !== undefined) committed[partition] = offset;
    }
    const { user, system } = process.cpuUsage();
    const status: WorkerStatus = {
      committed: Array.from(committed, (offset) => offset ?? 0),
      firstCommitsMs: [...firstCommitsMs.values()],
      nowMs: performance.now() - startedMs,
      rssBytes: process.memoryUsage.rss(),
      cpuMs: (user + system) / 1e3,
    };
    process.send?.(status);
  });
  process.send?.('started');
  return running;
}, [inference, kafka]);
