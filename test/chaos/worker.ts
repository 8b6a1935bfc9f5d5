// One process of the group that works on `clicks`, started by `workers.ts` and told by it when to end.
import { openClickHouse } from '../../connectors/clickhouse/open.js';
import { openFiles } from '../../connectors/file/open.js';
import { openKafka } from '../../connectors/kafka/open.js';
import { openPostgres } from '../../connectors/postgres/open.js';
import { openRedis } from '../../connectors/redis/open.js';
import { messageOf } from '../../src/core/errors.js';
import { createInference } from '../../src/inference/index.js';
import { onceUp } from '../../src/run/launch.js';
import { runTopology } from '../../src/runtime/index.js';
import { isPassing } from '../../src/runtime/supervisor.js';
import { localRegistry } from '../../src/schema/index.js';
import { type Mutant, mutants } from './mutants.js';
import { relay } from './network.js';
import { clicks, type StoreNames, type Topics } from './topology.js';

/** What the process is told on its command line, in JSON. */
export interface WorkerOptions {
  readonly brokers: readonly string[];
  readonly prefix: string;
  /** The name of the topology (default `clicks`). */
  readonly name?: string;
  readonly topics: Topics;
  /** Redis and ClickHouse, by URL, and the names to use there; Kafka alone without them. */
  readonly stores?: StoreNames & {
    readonly redis: string;
    readonly clickhouse: string;
    readonly postgres?: string | undefined;
  };
  readonly sessionTimeoutMs: number;
  /** Processes that follow each task; none without it. */
  readonly standbys?: number;
  /** Stores that this namespace does not reach otherwise. */
  readonly relays?: readonly Relay[];
  /** What is wrong with its connectors. */
  readonly mutant?: Mutant | undefined;
  /** Read to the end, alone, without a group. */
  readonly alone: boolean;
}

/** A port of loopback that a socket file stands for. */
export interface Relay {
  readonly port: number;
  readonly path: string;
}

/** What it tells. */
export type WorkerNews =
  | { readonly kind: 'joined'; readonly group: string; readonly memberId: string }
  | { readonly kind: 'assigned'; readonly tasks: readonly number[]; readonly atMs: number }
  | { readonly kind: 'stored'; readonly task: number; readonly atMs: number }
  | {
      readonly kind: 'restored';
      readonly task: number;
      readonly records: number;
      readonly fromStandby: boolean;
      readonly atMs: number;
    }
  | { readonly kind: 'warning'; readonly message: string };

const options = JSON.parse(process.argv[2] ?? '') as WorkerOptions;
/** Whoever started it is dead. */
const orphaned = () => process.exit(1);
const tell = (news: WorkerNews) => process.connected && process.send?.(news);

if (options.mutant) mutants[options.mutant]();
for (const { port, path } of options.relays ?? []) await relay({ host: '127.0.0.1', port }, { path });
const onWarning = (message: string) => void tell({ kind: 'warning', message });
const open = () =>
  openKafka({
    brokers: options.brokers,
    registry: localRegistry(),
    prefix: options.prefix,
    sessionTimeout: options.sessionTimeoutMs as never,
    standbys: options.standbys ?? 0,
    onRestored: ({ task, records, fromStandby }) =>
      tell({ kind: 'restored', task: task.partition, records, fromStandby, atMs: Date.now() }),
    onWarning,
  });
const kafka = await onceUp(open, onWarning);
const inference = createInference();
const { topics, stores } = options;
const opened: { close(): Promise<void> }[] = [kafka, inference];
try {
  const hashes = stores && openRedis({ url: stores.redis });
  if (hashes) opened.push(hashes);
  const tables = stores && (await openClickHouse({ url: stores.clickhouse }));
  if (tables) opened.push(tables);
  const rows = stores?.postgres === undefined ? undefined : openPostgres({ url: stores.postgres });
  if (rows) opened.push(rows);
  const files = openFiles({ schemas: localRegistry() });
  const running = await runTopology(clicks(topics, stores, options.name), {
    profile: {
      name: 'chaos',
      sources: { kafka: kafka.source, internal: kafka.internal.source },
      sinks: {
        kafka: kafka.topicSink,
        internal: kafka.internal.sink,
        ...(hashes ? { redis: hashes.sink } : {}),
        ...(tables ? { clickhouse: tables.tableSink } : {}),
        ...(rows ? { postgres: rows.tableSink } : {}),
        file: files.sink,
      },
      openLedger: kafka.openLedger,
      ...(options.alone
        ? {}
        : {
            join: (member) =>
              kafka.join({
                ...member,
                onAssigned(tasks) {
                  tell({ kind: 'assigned', tasks, atMs: Date.now() });
                  member.onAssigned(tasks);
                },
              }),
          }),
      schemas: localRegistry(),
      close: async () => undefined,
    },
    inference,
    bounded: options.alone,
    onJoined: (memberId, group) => tell({ kind: 'joined', group, memberId }),
    onWarning,
    onPoint: (point, task) => point === 'stored' && tell({ kind: 'stored', task, atMs: Date.now() }),
  });
  const stop = () => void running.stop().catch(() => undefined); // `finished` says the same
  process.on('SIGTERM', stop);
  process.once('disconnect', orphaned);
  await running.finished;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = isPassing(error) ? 75 : 1; // EX_TEMPFAIL, as the agent knows
} finally {
  for (const each of opened.reverse()) await each.close();
  process.off('disconnect', orphaned);
  if (process.connected) process.disconnect();
}
