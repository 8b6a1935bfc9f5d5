import { afterAll, beforeAll, expect, it } from 'vitest';
import { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';
import { type Kafka, openKafka } from '../../../connectors/kafka/open.js';
import { PartitionLog } from '../../../connectors/kafka/partition-log.js';
import { code, codesOf } from '../../../connectors/kafka/protocol/broker-error.js';
import { fetchApi } from '../../../connectors/kafka/protocol/fetch.js';
import { localRegistry } from '../../../src/schema/index.js';
import { OwnBroker } from './own-broker.js';

// A broker that is killed leads its partitions in a later epoch when it is back.

let broker: OwnBroker;
let kafka: Kafka;
let cluster: Cluster;

beforeAll(async () => {
  broker = await OwnBroker.start({ listeners: [], settings: () => '' });
  const brokers = [broker.address()];
  kafka = await openKafka({ brokers, registry: localRegistry() });
  cluster = await Cluster.open({ brokers });
  await kafka.createTopic('epochs', 1);
});
afterAll(async () => {
  await cluster.close();
  await kafka.close();
  await broker.stop();
});

const write = (records: number) => {
  const batch = Array.from({ length: records }, (_, n) => ({ key: null, value: Buffer.from(`${n}`), timestampMs: 1 }));
  return kafka.producer().send('epochs', batch);
};

it('are told to the broker, which refuses another leader, and names where its log parts from what was read', async () => {
  await write(10);
  const before = (await cluster.leader('epochs', 0)).epoch;
  await broker.restart();
  await write(10);
  await cluster.refresh('epochs');
  const { address, epoch, topicId } = await cluster.leader('epochs', 0);
  expect(before).toBeGreaterThanOrEqual(0);
  expect(epoch).toBeGreaterThan(before);

  const connections = new ConnectionPool(cluster.linkOptions);
  const fetch = (leaderEpoch: number, offset: number, lastFetchedEpoch: number) =>
    connections.request(address, fetchApi, {
      topicId,
      partition: 0,
      offset,
      leaderEpoch,
      lastFetchedEpoch,
      waitMaxMs: 250,
      bytesMax: 1_000_000,
      rack: '',
    });
  await expect(fetch(before, 0, -1).catch(codesOf)).resolves.toEqual([code.fencedLeaderEpoch]);
  await expect(fetch(epoch + 1, 0, -1).catch(codesOf)).resolves.toEqual([code.unknownLeaderEpoch]);
  expect(await fetch(epoch, 15, before)).toMatchObject({ diverging: { epoch: before, endOffset: 10 } });
  const right = await fetch(epoch, 10, before);
  expect(right.diverging).toBeUndefined();
  expect(right.bytes.length).toBeGreaterThan(0);
  await connections.close();

  const log = await PartitionLog.open(cluster, 'epochs', 0, 0);
  while (log.offset < 20) await log.next();
  expect([log.epochBefore(10), log.epochBefore(11), log.epochBefore(20)]).toEqual([before, epoch, epoch]);
  await log.close();
  for (const [offset, unknown] of [
    [15, before],
    [15, epoch + 1],
  ] as const) {
    const lost = await PartitionLog.open(cluster, 'epochs', 0, offset, { epoch: unknown });
    await expect(lost.next()).rejects.toMatchObject({ code: 'source', permanent: true });
    await lost.close();
  }
});
