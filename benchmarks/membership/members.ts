import { Consumer } from '@platformatic/kafka';
import { Kafka as Kafkajs, logLevel } from 'kafkajs';
import { kafka as specs } from '../../connectors/kafka/index.js';
import { openKafka } from '../../connectors/kafka/open.js';
import type { Source } from '../../src/core/source.js';
import { json, localRegistry } from '../../src/schema/index.js';

/** A member of a consumer group. */
export interface Member {
  /** How many are its own at this moment. */
  partitions(): number;
  leave(): Promise<unknown>;
}

export interface Joining {
  readonly broker: string;
  readonly topic: string;
  readonly group: string;
}

const HEARTBEAT_MS = 250;
const SESSION_MS = 10_000;

export async function byMillrace({ broker, topic, group }: Joining): Promise<Member> {
  const kafka = await openKafka({ brokers: [broker], registry: localRegistry() });
  let owned = 0;
  const membership = await kafka.join({
    topology: group,
    sources: [specs.source({ topic, schema: json<unknown>() }) as Source<unknown>],
    tasks: 4,
    version: { hash: group, layout: group, accepted: false },
    onAssigned(partitions) {
      owned = partitions.length;
    },
    onFailed(cause) {
      throw cause;
    },
  });
  return {
    partitions: () => owned,
    async leave() {
      await membership.leave();
      await kafka.close();
    },
  };
}

export async function byKafkajs({ broker, topic, group }: Joining): Promise<Member> {
  const client = new Kafkajs({ brokers: [broker], logLevel: logLevel.NOTHING });
  const consumer = client.consumer({ groupId: group, heartbeatInterval: HEARTBEAT_MS, sessionTimeout: SESSION_MS });
  let owned = 0;
  const joined = new Promise<void>((resolve) => {
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const partitions = payload.memberAssignment[topic] ?? [];
      owned = partitions.length;
      consumer.pause([{ topic }]);
      resolve();
    });
  });
  await consumer.connect();
  await consumer.subscribe({ topic });
  await consumer.run({ autoCommit: false, eachBatch: async () => undefined });
  await joined;
  return { partitions: () => owned, leave: () => consumer.disconnect() };
}

export async function byPlatformatic({ broker, topic, group }: Joining): Promise<Member> {
  const consumer = new Consumer({
    clientId: 'bench',
    groupId: group,
    bootstrapBrokers: [broker],
    heartbeatInterval: HEARTBEAT_MS,
    sessionTimeout: SESSION_MS,
  });
  consumer.topics.trackAll(topic);
  await consumer.joinGroup();
  return {
    partitions: () => consumer.assignments?.find((each) => each.topic === topic)?.partitions.length ?? 0,
    leave: async () => consumer.close(true),
  };
}
