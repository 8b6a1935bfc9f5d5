import { createAPI, type Reader, Writer } from '@platformatic/kafka';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { fetchApi } from '../../../connectors/kafka/protocol/fetch.js';
import { batch } from '../../../connectors/kafka/protocol/record-batch.js';
import { readBatch } from '../../../connectors/kafka/protocol/record-batch-decode.js';
import { Transaction } from '../../../connectors/kafka/transaction.js';
import type { Checkpoint } from '../../../src/core/checkpoint.js';
import { originAt } from '../../../src/testing/contract.js';
import { OwnBroker } from './own-broker.js';
import { broker, foreignRead, fresh, open, settled, sink, source } from './world.js';

// A coordinator whose answer was lost sends the end marker of a transaction again. Both may reach the log, and the second one
// after the next transaction has begun.

interface Marker {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly coordinatorEpoch: number;
  /** The level of `transaction.version` that the producer spoke. */
  readonly level: 0 | 2;
}

interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

const prefix = fresh('markers');
const task = { topology: 'job', partition: 0 };
const names = {
  in: `${prefix}.in`,
  out: `${prefix}.out`,
  changelog: `${prefix}.job.changelog`,
  group: `${prefix}.job`,
};
let kafka: Kafka;
let cluster: Cluster;
let connections: ConnectionPool;

async function fill(world: Kafka): Promise<void> {
  for (const topic of [names.in, names.out]) await world.createTopic(topic, 1);
  const producer = world.producer();
  const value = (n: number) => ({ key: null, value: Buffer.from(JSON.stringify({ n })), timestampMs: n });
  await producer.send(names.in, [1, 2, 3].map(value));
  await producer.close();
}

beforeAll(async () => {
  kafka = await open({ prefix });
  cluster = await Cluster.open({ brokers: [broker()] });
  connections = new ConnectionPool(cluster.linkOptions);
  await fill(kafka);
});
afterAll(async () => {
  for (const topic of [names.in, names.out, names.changelog]) await kafka.deleteTopic(topic);
  await connections.close();
  await cluster.close();
  await kafka.close();
});

async function openTask(world: Kafka) {
  const ledger = await world.openLedger(task);
  const restored = await ledger.restore();
  const writer = await world.topicSink.open(sink(names.out), { step: 'out', task, incarnation: 0 });
  const offset = restored.checkpoint?.positions.in?.offset ?? 0;
  const reader = await world.source.open(source(names.in), { task, partition: 0, offset, bounded: true, step: 'in' });
  await reader.close();
  const epoch = async (n: number) => {
    await writer.write([{ n }], [originAt(n, 0)]);
    await ledger.commit(checkpoint(n), []);
  };
  return { ledger, restored, epoch };
}

const checkpoint = (n: number): Checkpoint => ({
  epoch: n,
  incarnation: 0,
  topologyHash: 'hash',
  positions: { in: { offset: n, mergeTimeMs: n } },
  settledDecisions: {},
});

/** The last end marker of a partition, and whether it has another epoch than the batch before it. */
async function lastMarker({ topic, partition }: TopicPartition): Promise<Marker> {
  const { address, topicId, epoch: leaderEpoch } = await cluster.leader(topic, partition);
  const asked = { topicId, partition, leaderEpoch, lastFetchedEpoch: -1, waitMaxMs: 250, bytesMax: 1 << 20, rack: '' };
  const { bytes } = await connections.request(address, fetchApi, { ...asked, offset: 0 });
  let marker: Marker | undefined;
  let dataEpoch = -1;
  for (let at = 0; ; ) {
    const each = readBatch(bytes, at, topic);
    if (!each) break;
    at = each.end;
    const producerEpoch = bytes.readInt16BE(each.start + batch.producerEpoch);
    if (!(each.attributes & batch.control)) dataEpoch = producerEpoch;
    else {
      // One record: length, attributes, two deltas, a key of 4 bytes behind its length, the length of the value, its version.
      const coordinatorEpoch = bytes.readInt32BE(each.start + batch.headerBytes + 12);
      const level = producerEpoch > dataEpoch ? 2 : 0;
      marker = { producerId: each.producerId, producerEpoch, coordinatorEpoch, level };
    }
  }
  return marker as Marker;
}

/** As a coordinator writes a marker: the answer's code of each partition. */
const writeMarkerApi = createAPI<[Marker, readonly TopicPartition[]], number[]>(
  27,
  2,
  ({ producerId, producerEpoch, coordinatorEpoch, level }, partitions) =>
    Writer.create()
      .appendArray([0], (markers) => {
        markers.appendInt64(producerId).appendInt16(producerEpoch).appendBoolean(true);
        markers.appendArray([...partitions], (topics, { topic, partition }) => {
          topics
            .appendString(topic)
            .appendArray([partition], (each, number) => void each.appendInt32(number), true, false);
        });
        markers.appendInt32(coordinatorEpoch).appendInt8(level);
      })
      .appendTaggedFields(),
  (_correlation: number, _apiKey: number, _apiVersion: number, reader: Reader) =>
    reader
      .readArray((markers) => {
        markers.readInt64();
        return markers.readArray((topics) => {
          topics.readString();
          return topics.readArray((each) => {
            each.readInt32();
            return each.readInt16();
          });
        });
      })
      .flat(2),
);

/** Where a group keeps its offsets: by Java's hash of its name. */
async function partitionOfGroup(group: string): Promise<TopicPartition> {
  const topic = '__consumer_offsets';
  const partitions = (await cluster.topic(topic))?.leaders.length ?? 1;
  let hash = 0;
  for (const character of group) hash = (Math.imul(hash, 31) + character.charCodeAt(0)) | 0;
  return { topic, partition: (hash & 0x7fffffff) % partitions };
}

it('an end marker that is written again does not end the next transaction', async () => {
  expect(await cluster.featureLevel('transaction.version')).toBe(2);
  const crashed = await open({ prefix });
  const first = await openTask(crashed);
  await first.epoch(1);
  await settled(prefix);
  const marker = await lastMarker({ topic: names.changelog, partition: 0 });

  // All of the second epoch is at the brokers but for its end: there the process dies.
  const end = vi.spyOn(Transaction.prototype as unknown as { end(): Promise<void> }, 'end');
  end.mockRejectedValue(new Error('the process has died'));
  await expect(first.epoch(2)).rejects.toThrow('died');
  end.mockRestore();

  const group = await partitionOfGroup(names.group);
  for (const each of [group, { topic: names.out, partition: 0 }]) {
    const { address } = await cluster.leader(each.topic, each.partition);
    const answered = await connections.request(address, writeMarkerApi, marker, [each]);
    expect(answered).toHaveLength(1);
  }

  const second = await openTask(kafka);
  expect(second.restored.checkpoint).toEqual(checkpoint(1));
  await second.epoch(2);
  await second.epoch(3);
  await second.ledger.close();
  await settled(prefix);
  expect((await foreignRead(names.out)).map(({ value }) => value)).toEqual(['{"n":1}', '{"n":2}', '{"n":3}']);
  await crashed.close();
});

it('brokers that share one epoch among transactions get what they know', async () => {
  const old = await OwnBroker.start({ listeners: [], settings: () => '', features: ['transaction.version=0'] });
  const world = await open({ prefix, brokers: [old.address()] });
  const known = await Cluster.open({ brokers: [old.address()] });
  try {
    expect(await known.featureLevel('transaction.version')).toBe(0);
    await fill(world);
    const first = await openTask(world);
    await first.epoch(1);
    await first.epoch(2);
    const second = await openTask(world);
    expect(second.restored.checkpoint).toEqual(checkpoint(2));
    await expect(first.epoch(3)).rejects.toMatchObject({ code: 'fenced' });
    await second.epoch(3);
    for (const { ledger } of [first, second]) await ledger.close();
    await settled(prefix, old.address());
    expect((await foreignRead(names.out, old.address())).map(({ value }) => value)).toEqual([
      '{"n":1}',
      '{"n":2}',
      '{"n":3}',
    ]);
  } finally {
    await known.close();
    await world.close();
    await old.stop();
  }
});
