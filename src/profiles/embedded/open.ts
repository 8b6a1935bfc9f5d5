import type { CheckpointStore, LogPoint, StoredTask, TaskId, TaskLedger } from '../../core/checkpoint.js';
import type { LookupDriver } from '../../core/lookup.js';
import type { TopicProducer } from '../../core/profile.js';
import type { OutgoingRecord, RawRecord } from '../../core/record.js';
import type { SchemaRegistry } from '../../core/schema.js';
import type { SinkDriver } from '../../core/sink.js';
import type { SourceDriver } from '../../core/source.js';
import { makePrivateFolder } from '../../util/private-files.js';
import { hashLookup, hashSink } from './hash-drivers.js';
import { Hashes, type StoredHash } from './hashes.js';
import { keptSchemas } from './kept-schemas.js';
import { embeddedCheckpoints, openLedger, storedCheckpoint } from './ledger.js';
import { takeOwnership } from './ownership.js';
import { appendTo, openProducer } from './producer.js';
import { LogCleaner } from './retention.js';
import { logSource } from './source.js';
import { Store, type StoreHooks } from './store.js';
import { TaskOwners } from './task-outputs.js';
import { TopicLog } from './topic-log.js';
import { topicSinks } from './topic-sinks.js';

export interface EmbeddedOptions {
  /** Folder of the store; made where it is missing. Needs a local disk. */
  readonly path: string;
  readonly registry: SchemaRegistry;
  /** The key of encrypted dead letters. */
  readonly letterKey?: Buffer | undefined;
  /** The clock of the hashes' time to live, in milliseconds since 1970. */
  readonly now?: () => number;
  /** For tests that end the process at named points of a commit. */
  readonly hooks?: StoreHooks;
}

/** Log, ledger, state and key-value store in one folder: what Kafka and Redis are elsewhere. */
export interface Embedded {
  readonly source: SourceDriver;
  /** Serves `kafka.sink`, `kafka.upsertSink`, `kafka.deadLetterSink` and the topics between subtopologies. */
  readonly topicSink: SinkDriver;
  /** Serves `redis.hashSink`, `redis.upsertSink` and `redis.metricsSink`. */
  readonly hashSink: SinkDriver;
  /** Serves `redis.hashLookup`. */
  readonly hashLookup: LookupDriver;
  /** The registry it was opened with, which now also knows every schema that ever wrote into this store. */
  readonly schemas: SchemaRegistry;
  openLedger(task: TaskId): Promise<TaskLedger>;
  readonly checkpoints: CheckpointStore;
  /** The checkpoint of a task without its state, which may be large. */
  checkpointOf(task: TaskId): Omit<StoredTask, 'state'>;
  producer(): TopicProducer;
  /** Appends to one partition whatever the keys say: for copies of other logs, partition by partition. */
  append(topic: string, partition: number, records: readonly OutgoingRecord[]): Promise<void>;
  /** Names, in order. */
  topics(): string[];
  /** Offsets of the next records to be written, by partition: committed ones only. */
  endOffsets(topic: string): Promise<readonly number[]>;
  /** By partition, the offset of a point of the log. Time: a point in time reads the partition up to it. */
  offsetsAt(topic: string, point: LogPoint): Promise<readonly number[]>;
  /** The records of a partition from `from` (0 by default) to its end as of now. */
  scan(topic: string, partition: number, from?: number): Iterable<RawRecord>;
  /** The fields of a hash, as Redis's HGETALL shows them; `undefined` where there is none or it has expired. */
  getHash(key: string): Readonly<Record<string, string>> | undefined;
  hashes(): Iterable<StoredHash>;
  /** Waits for commits under way. What was not committed is gone, as after a crash. */
  close(): Promise<void>;
}

/**
 * Opens the embedded store: one LMDB environment in which an epoch of a task (outputs to topics, dead letters, hashes,
 * state, checkpoint) is one atomic step, so delivery is exactly-once.
 *
 * A commit that was awaited is synced to disk: it survives `kill -9` and, if the disk keeps its word, a power cut. The
 * log keeps everything but what topics declare that they need not keep (`retention.ms`, `retention.bytes`). Memory: blobs being read (256 KiB for each reader), what
 * tasks wrote since their last checkpoint, and pages of the file that the system may drop at any time.
 *
 * @throws MillraceError `config` where a living process has the folder open (one that was killed has not); `state`
 * where it cannot be opened.
 * @example
 * const embedded = await openEmbedded({ path: '.millrace/log', registry: localRegistry() });
 * await embedded.producer().createTopic('clicks', 4);
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { path, registry, letterKey, now = Date.now, hooks = {} } = options;
  makePrivateFolder(path);
  const ownership = await takeOwnership(path);
  let store: Store;
  try {
    store = Store.open(path, hooks);
  } catch (error) {
    await ownership.release();
    throw error;
  }
  const log = new TopicLog(store);
  const cleaner = new LogCleaner(store, log, now);
  const hashes = new Hashes(store, now);
  const owners = new TaskOwners();
  const schemas = keptSchemas(store, registry);
  let closing: Promise<void> | undefined;

  return {
    source: logSource(log, owners),
    topicSink: topicSinks(log, owners, schemas, now, letterKey),
    hashSink: hashSink(owners, hashes),
    hashLookup: hashLookup(hashes),
    schemas,
    async openLedger(task) {
      cleaner.start(); // a tool that only looks deletes nothing
      return openLedger(task, { store, log, hashes, owners });
    },
    checkpoints: embeddedCheckpoints(store, owners),
    checkpointOf: (task) => storedCheckpoint(store, task),
    producer: () => openProducer(store, log),
    append: (topic, partition, records) => appendTo({ store, log }, topic, partition, records),
    topics: () => log.names(),
    endOffsets: async (topic) => log.endOffsets(topic),
    offsetsAt: async (topic, point) => log.offsetsAt(topic, point),
    scan: (topic, partition, from) => log.scan(topic, partition, from),
    getHash: (key) => hashes.get(key),
    hashes: () => hashes.entries(),
    close() {
      closing ??= cleaner
        .stop()
        .then(() => store.close())
        .finally(() => ownership.release());
      return closing;
    },
  };
}
