import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { Cluster } from '../../connectors/kafka/connection/cluster.js';
import type { Kafka } from '../../connectors/kafka/open.js';
import { PartitionLog } from '../../connectors/kafka/partition-log.js';
import { EARLIEST } from '../../src/core/checkpoint.js';
import type { RawRecord } from '../../src/core/index.js';
import { withBroker } from '../kafka/world.js';
import type { FlightLog } from './flights.js';
import type { Order } from './order.js';

/** A broker with what the peers read, and what is asked about it from outside. */
export interface World {
  readonly broker: string;
  readonly brokerPid: number;
  /** Creates a topic and writes flights to it; resolves to the records of each partition. */
  load(topic: string, log: FlightLog, records: number, partitions: number): Promise<number[]>;
  createTopic(topic: string, partitions: number): Promise<void>;
  /** How many records of the input a group has committed, over all partitions. */
  committed(group: string, topic: string): Promise<number>;
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
        load: (topic, log, records, partitions) => load(kafka, topic, log, records, partitions),
        createTopic: (topic, partitions) => kafka.createTopic(topic, partitions),
        async committed(group, topic) {
          const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
          return (found?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
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

async function load(
  kafka: Kafka,
  topic: string,
  log: FlightLog,
  records: number,
  partitions: number,
): Promise<number[]> {
  await kafka.createTopic(topic, partitions);
  const sizes = new Array<number>(partitions).fill(0);
  const producer = kafka.producer();
  for (const { partition, records: part } of log.parts(records, partitions)) {
    await producer.append(topic, partition, part);
    sizes[partition] = (sizes[partition] ?? 0) + part.length;
  }
  await producer.close();
  return sizes;
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
