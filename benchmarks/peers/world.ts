import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { Cluster } from '../../connectors/kafka/connection/cluster.js';
import type { Kafka } from '../../connectors/kafka/open.js';
import { PartitionLog } from '../../connectors/kafka/partition-log.js';
import { EARLIEST } from '../../src/core/checkpoint.js';
import type { RawRecord } from '../../src/core/index.js';
import { getOrInsert } from '../../src/util/maps.js';
import { withBroker } from '../kafka/world.js';
import type { Part } from './flights.js';
import type { Input, Order } from './order.js';

/** The offset of each partition, by topic. */
export type Committed = ReadonlyMap<string, readonly number[]>;

/** A broker with what the peers read, and what is asked about it from outside. */
export interface World {
  readonly broker: string;
  readonly brokerPid: number;
  /** Creates a topic and writes records to it. */
  load(topic: string, parts: Iterable<Part>, partitions: number): Promise<Input>;
  createTopic(topic: string, partitions: number): Promise<void>;
  /** What the groups of a run have committed; `run` is the order's name, which theirs contain. */
  committed(run: string): Promise<Committed>;
  /** Whether there is no record behind what is committed in the topics between the stages of a run. */
  isDrained(run: string, committed: Committed): Promise<boolean>;
  /** Hands over every committed record of a topic and resolves to their number. */
  read(topic: string, each: (record: RawRecord) => void): Promise<number>;
  /** Deletes the topics that a run has written. */
  forget(order: Order): Promise<void>;
}

export function withWorld<T>(progress: (line: string) => void, use: (world: World) => Promise<T>): Promise<T> {
  return withBroker(progress, async (broker, kafka, brokerPid) => {
    const admin = new KafkaJs({ brokers: [broker], logLevel: logLevel.ERROR }).admin();
    await admin.connect();
    const cluster = await Cluster.open({ brokers: [broker] });
    try {
      return await use({
        broker,
        brokerPid,
        load: (topic, parts, partitions) => load(kafka, topic, parts, partitions),
        createTopic: (topic, partitions) => kafka.createTopic(topic, partitions),
        async committed(run) {
          const { groups } = await admin.listGroups();
          const own = groups.filter(({ groupId }) => groupId.includes(run));
          const found = await Promise.all(own.map(({ groupId }) => admin.fetchOffsets({ groupId })));
          const committed = new Map<string, number[]>();
          for (const { topic, partitions } of found.flat()) {
            const offsets = getOrInsert(committed, topic, (): number[] => []);
            for (const { partition, offset } of partitions) offsets[partition] = Math.max(0, Number(offset));
          }
          return committed;
        },
        async isDrained(run, committed) {
          const topics = (await admin.listTopics()).filter(
            (topic) => topic.includes(run) && topic.endsWith('repartition'),
          );
          const left = await Promise.all(topics.map((topic) => hasMore(cluster, topic, committed.get(topic) ?? [])));
          return !left.includes(true);
        },
        read: (topic, each) => read(cluster, topic, each),
        async forget({ name, output }) {
          const topics = await admin.listTopics();
          const written = topics.filter((topic) => topic === output || topic.includes(name));
          await admin.deleteTopics({ topics: written });
        },
      });
    } finally {
      await Promise.all([admin.disconnect(), cluster.close()]);
    }
  });
}

async function load(kafka: Kafka, topic: string, parts: Iterable<Part>, partitions: number): Promise<Input> {
  await kafka.createTopic(topic, partitions);
  const sizes = new Array<number>(partitions).fill(0);
  const producer = kafka.producer();
  for (const { partition, records: part } of parts) {
    await producer.append(topic, partition, part);
    sizes[partition] = (sizes[partition] ?? 0) + part.length;
  }
  await producer.close();
  return { topic, sizes };
}

/** Markers of transactions have offsets, too: the end of a partition does not tell whether a record is left. */
async function hasMore(cluster: Cluster, topic: string, offsets: readonly number[]): Promise<boolean> {
  const { leaders } = (await cluster.refresh(topic)) ?? { leaders: [] };
  for (const partition of leaders.keys()) {
    const end = await cluster.endOffset(topic, partition, 'committed');
    const from = offsets[partition] ?? EARLIEST;
    // The broker sends a batch even where it is larger.
    const log = await PartitionLog.open(cluster, topic, partition, from, { bytesMax: 1 });
    try {
      while (log.offset < end) if ((await log.next()).take() !== undefined) return true;
    } finally {
      await log.close();
    }
  }
  return false;
}

async function read(cluster: Cluster, topic: string, each: (record: RawRecord) => void): Promise<number> {
  const { leaders } = (await cluster.refresh(topic)) ?? { leaders: [] };
  let count = 0;
  for (const partition of leaders.keys()) {
    const end = await cluster.endOffset(topic, partition, 'committed');
    const log = await PartitionLog.open(cluster, topic, partition, EARLIEST);
    while (log.offset < end) {
      const range = await log.next();
      for (let batch = range.take(); batch; batch = range.take()) {
        count += batch.length;
        for (const record of batch) each(record);
      }
    }
    await log.close();
  }
  return count;
}
