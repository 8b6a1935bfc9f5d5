// One process of the group, started and killed by the benchmark.
import { openKafka } from '../../connectors/kafka/open.js';
import type { StandbyStatus } from '../../src/core/index.js';
import { createInference } from '../../src/inference/index.js';
import { runTopology } from '../../src/runtime/index.js';
import { localRegistry } from '../../src/schema/index.js';
import { runAsChild } from '../kafka/child.js';
import { failover } from './topology.js';

/** What the process is told on its command line, in JSON. */
export interface WorkerOptions {
  readonly broker: string;
  readonly standbys: number;
  readonly sessionTimeoutMs: number;
}

/** What it tells. */
export type WorkerNews =
  | { readonly kind: 'joined'; readonly memberId: string }
  | { readonly kind: 'assigned'; readonly tasks: readonly number[] }
  | { readonly kind: 'restored'; readonly task: number; readonly records: number; readonly durationMs: number }
  | {
      readonly kind: 'status';
      readonly standbys: readonly StandbyStatus[];
      readonly rssBytes: number;
      /** Of this process since its start, user and system. */
      readonly cpuSeconds: number;
    };

const { broker, standbys, sessionTimeoutMs } = JSON.parse(process.argv[2] ?? '') as WorkerOptions;
const tell = (news: WorkerNews) => process.connected && process.send?.(news);
const schemas = localRegistry();
const kafka = await openKafka({
  brokers: [broker],
  registry: schemas,
  standbys,
  sessionTimeout: sessionTimeoutMs as never,
  onRestored: ({ task, records, durationMs }) => tell({ kind: 'restored', task: task.partition, records, durationMs }),
  onWarning: (message) => process.stderr.write(`${message}\n`),
});
const inference = createInference();
await runAsChild(async () => {
  const running = await runTopology(failover, {
    profile: {
      name: 'failover',
      sources: { kafka: kafka.source },
      sinks: { kafka: kafka.topicSink },
      openLedger: (task) => kafka.openLedger(task),
      join: (member) =>
        kafka.join({
          ...member,
          onAssigned(tasks) {
            tell({ kind: 'assigned', tasks });
            member.onAssigned(tasks);
          },
        }),
      schemas,
      close: async () => undefined,
    },
    inference,
    onJoined: (memberId) => tell({ kind: 'joined', memberId }),
    onWarning: (message) => process.stderr.write(`${message}\n`),
  });
  const status = setInterval(() => {
    const { user, system } = process.cpuUsage();
    const standbys = running.snapshot().standbys;
    tell({ kind: 'status', standbys, rssBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 });
  }, 200);
  void running.finished.finally(() => clearInterval(status)).catch(() => undefined);
  return running;
}, [inference, kafka]);
