import { deleteRecordsV2 } from '@platformatic/kafka';
import {
  type ConfigMismatch,
  type InternalSinkOptions,
  internalWriter,
  readerAround,
  type Sink,
  type SinkDriver,
  type SourceDriver,
} from '../../../src/core/index.js';
import type { SchemaRegistry } from '../../../src/core/schema.js';
import { openCodec, registerSchema } from '../../../src/schema/index.js';
import type { Admin, TopicSettings } from '../admin.js';
import { type Cluster, noTopic } from '../connection/cluster.js';
import { ConnectionPool } from '../connection/connection-pool.js';
import { brokerError, isBusy, isLost, isMoved } from '../protocol/broker-error.js';
import { RECORD_LIMIT } from '../record-limit.js';
import { type DeclaredTopic, setUpTopic, topicMismatches } from '../topic-mismatch.js';
import { transactionOf } from '../topic-sink.js';
import type { TaskSessions } from './task-session.js';

/**
 * Records of a repartition topic are kept until the next sub-topology has stored them in a checkpoint and deletes them. Their
 * timestamps are event times, so the broker must neither check them nor delete by them.
 */
const SETTINGS: TopicSettings = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'message.timestamp.type': 'CreateTime',
};

/** Inputs may have larger records than the broker's default allows. */
const RECORD_BYTES = String(16 * 1024 * 1024);

/** Other settings would lose records or change their timestamps. */
function declarationOf(sink: Sink<unknown>): DeclaredTopic {
  const { topic, partitions } = sink.options as InternalSinkOptions;
  return { topic, partitions, configs: SETTINGS, onMismatch: 'fail' };
}

/** How long the broker may take to delete. */
const TIMEOUT_MS = 30_000;

/** The sink into repartition topics, in the task's transaction like every output. */
export function kafkaInternalSink(
  cluster: Cluster,
  admin: Admin,
  sessions: TaskSessions,
  registry: SchemaRegistry,
  onMismatch: (mismatch: ConfigMismatch) => void,
): SinkDriver {
  return {
    mode: 'transactional',
    mismatches: (sink) => topicMismatches(cluster, admin, declarationOf(sink)),
    async setUp(sink, { partitions }) {
      await registerSchema((sink.options as InternalSinkOptions).schema, registry);
      const declared = { ...declarationOf(sink), partitionsByDefault: partitions };
      await setUpTopic(cluster, admin, declared, { [RECORD_LIMIT]: RECORD_BYTES }, onMismatch);
    },
    async open(sink, context) {
      const options = sink.options as InternalSinkOptions;
      const transaction = transactionOf(sessions, context);
      const found = await cluster.topic(options.topic);
      if (!found) throw noTopic(options.topic);
      transaction.limit(options.topic, await admin.recordBytesMax(options.topic));
      const writer = internalWriter({
        options,
        codec: await openCodec(options.schema, registry),
        partitions: found.leaders.length,
        now: () => Date.now(),
        append: (partition, record) => transaction.add(options.topic, partition, record),
        refusal: (record) => transaction.refusal(options.topic, record),
        settle: () => (transaction.congested ? transaction.settle() : undefined),
      });
      return { ...writer, close: async () => undefined };
    },
  };
}

/** The source of repartition topics. It deletes every `everyMs` what was read. */
export function kafkaInternalSource(cluster: Cluster, topics: SourceDriver, everyMs: number): SourceDriver {
  return {
    partitions: (source) => topics.partitions(source),
    async open(source, at) {
      const reader = await topics.open(source, at);
      const deletion = new Deletion(cluster, source.topic, at.partition, everyMs);
      return readerAround(reader, {
        release: (released) => deletion.upTo(released),
        async close() {
          await reader.close();
          await deletion.close();
        },
      });
    },
  };
}

/**
 * Deletes the beginning of a partition. If the broker cannot be reached, the next deletion does the work. If it refuses, reading
 * fails, because the topic would grow without end.
 */
class Deletion {
  private readonly connections: ConnectionPool;
  private dueMs: number;
  private running: Promise<void> = Promise.resolve();
  private refusal: unknown;

  constructor(
    private readonly cluster: Cluster,
    private readonly topic: string,
    private readonly partition: number,
    private readonly everyMs: number,
  ) {
    this.connections = new ConnectionPool(cluster.linkOptions);
    this.dueMs = performance.now() + everyMs;
  }

  /** Starts a deletion if it is due. @throws MillraceError `source` if the broker refused the last one. */
  upTo(offset: number): void {
    if (this.refusal !== undefined) {
      throw brokerError('source', `the records of ${this.topic} that were read cannot be deleted`, this.refusal, {
        where: `${this.topic}/${this.partition}`,
        hint: 'allow this user to delete records of the topic',
      });
    }
    if (offset <= 0 || performance.now() < this.dueMs) return;
    this.dueMs = performance.now() + this.everyMs;
    this.running = this.delete(offset).catch((error: unknown) => {
      if (!isLost(error) && !isMoved(error) && !isBusy(error)) this.refusal = error;
    });
  }

  async close(): Promise<void> {
    await this.running;
    await this.connections.close();
  }

  private async delete(offset: number): Promise<void> {
    const { address } = await this.cluster.leader(this.topic, this.partition);
    const partitions = [{ partitionIndex: this.partition, offset: BigInt(offset) }];
    await this.connections.request(address, deleteRecordsV2.api, [{ name: this.topic, partitions }], TIMEOUT_MS);
  }
}
