import { afterEach, expect, it, vi } from 'vitest';
import type { Address } from '../../../connectors/kafka/connection/address.js';
import { Cluster } from '../../../connectors/kafka/connection/cluster.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';
import { code } from '../../../connectors/kafka/protocol/broker-error.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** What each broker says: which of them leads the only partition of `topic`, and since which election. */
function brokers(
  says: Record<string, { leaderId: number; leaderEpoch: number; topicId?: string; errorCode?: number }>,
) {
  vi.spyOn(ConnectionPool.prototype, 'to').mockImplementation((async () => undefined) as never);
  vi.spyOn(ConnectionPool.prototype, 'request').mockImplementation((async (
    { host }: Address,
    _api: unknown,
    names: string[],
  ) => {
    const { topicId = 'id', errorCode = 0, ...partition } = says[host] as (typeof says)[string];
    return {
      brokers: Object.keys(says).map((name, index) => ({ nodeId: index + 1, host: name, port: 1 })),
      topics: names.map((name) => ({
        name,
        topicId,
        errorCode,
        partitions: [{ partitionIndex: 0, replicaNodes: [1, 2], ...partition }],
      })),
    };
  }) as never);
  return says;
}

it('does not go back to an older leader where an isolated broker names one, and asks another broker next', async () => {
  const says = brokers({ a: { leaderId: 2, leaderEpoch: 5 }, b: { leaderId: 2, leaderEpoch: 5 } });
  const cluster = await Cluster.open({ brokers: ['a:1', 'b:1'], apiTimeoutMs: 100 });
  expect(await cluster.leader('topic', 0)).toMatchObject({ address: { host: 'b' }, epoch: 5 });
  says.a = { leaderId: 1, leaderEpoch: 4 };
  says.b = { leaderId: 2, leaderEpoch: 6 };
  await cluster.refresh('topic');
  expect(await cluster.leader('topic', 0)).toMatchObject({ address: { host: 'b' }, epoch: 5 });
  await cluster.refresh('topic');
  expect(await cluster.leader('topic', 0)).toMatchObject({ address: { host: 'b' }, epoch: 6 });
  // No leader during an election: the older answer is still refused.
  says.b = { leaderId: -1, leaderEpoch: 7 };
  await cluster.refresh('topic');
  says.b = says.a;
  await cluster.refresh('topic');
  await expect(cluster.leader('topic', 0)).rejects.toThrow('has no leader');
  // Another topic of the name counts from its own beginning.
  says.a = says.b = { leaderId: 1, leaderEpoch: 0, topicId: 'new' };
  await cluster.refresh('topic');
  expect(await cluster.leader('topic', 0)).toMatchObject({ address: { host: 'a' }, epoch: 0, topicId: 'new' });
  await cluster.close();
});

it('takes a topic for gone when a second broker does not know it either', async () => {
  const says = brokers({ a: { leaderId: 2, leaderEpoch: 5 }, b: { leaderId: 2, leaderEpoch: 5 } });
  const cluster = await Cluster.open({ brokers: ['a:1', 'b:1'], apiTimeoutMs: 100 });
  await cluster.refresh('topic');
  says.a = { leaderId: -1, leaderEpoch: -1, errorCode: code.unknownTopicOrPartition };
  expect(await cluster.refresh('topic')).toMatchObject({ topicId: 'id', epochs: [5] });
  says.b = says.a;
  expect(await cluster.refresh('topic')).toBeUndefined();
  await expect(cluster.leader('topic', 0)).rejects.toThrow("topic 'topic' does not exist");
  await cluster.close();
});
