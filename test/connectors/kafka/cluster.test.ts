import {
  describeConfigsV4,
  findCoordinatorV4,
  listOffsetsV7,
  metadataV12,
  NetworkError,
  ProtocolError,
} from '@platformatic/kafka';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Admin } from '../../../connectors/kafka/admin.js';
import type { Address } from '../../../connectors/kafka/connection/address.js';
import { BrokerConnection } from '../../../connectors/kafka/connection/broker-connection.js';
import { Cluster, type ClusterOptions } from '../../../connectors/kafka/connection/cluster.js';
import { ConnectionPool } from '../../../connectors/kafka/connection/connection-pool.js';
import { KafkaProducer } from '../../../connectors/kafka/producer.js';
import { code } from '../../../connectors/kafka/protocol/broker-error.js';
import { record } from './batches.js';
import { memoryKafka } from './memory-kafka.js';

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
  // A broker that was just asked may not know a new topic yet.
  await expect(cluster.leader('topic', 0)).rejects.toMatchObject({
    ...{ code: 'source', message: "topic 'topic' does not exist", permanent: false },
  });
  await cluster.close();
});

describe('a cluster of brokers in memory', () => {
  const opened = async (options: Partial<ClusterOptions> = {}) => {
    const memory = memoryKafka();
    const cluster = await Cluster.open({ brokers: memory.addresses, apiTimeoutMs: 200, ...options });
    return { memory, cluster };
  };

  it('needs addresses, well-formed and of brokers that answer', async () => {
    memoryKafka();
    await expect(Cluster.open({ brokers: [] })).rejects.toMatchObject({
      code: 'config',
      where: 'kafka.brokers',
      permanent: true,
    });
    await expect(Cluster.open({ brokers: ['one:port'] })).rejects.toMatchObject({
      ...{ code: 'config', where: 'kafka.brokers', message: "malformed broker address 'one:port'" },
    });
    vi.mocked(BrokerConnection.open).mockRejectedValue(new NetworkError('refused'));
    await expect(Cluster.open({ brokers: ['one:9092', 'two:9093'] })).rejects.toMatchObject({
      ...{ code: 'config', where: 'kafka.brokers', hint: expect.stringContaining('the broker ends the connection') },
      message: expect.stringContaining('no Kafka broker answers at one:9092, two:9093'),
    });
  });

  it('asks the next broker where one is down, and fails as the first one does', async () => {
    const { cluster } = await opened();
    vi.mocked(BrokerConnection.open).mockClear();
    const down = (host: string) => ({ host, port: 9092 });
    const open = vi.mocked(BrokerConnection.open).getMockImplementation() as typeof BrokerConnection.open;
    let gone = ['one'];
    vi.mocked(BrokerConnection.open).mockImplementation((address, options) =>
      gone.includes(address.host) ? Promise.reject(new NetworkError(`no ${address.host}`)) : open(address, options),
    );
    const another = await Cluster.open({ brokers: ['one:9092', 'two:9092'], apiTimeoutMs: 50 });
    expect(await another.anyBroker()).toEqual(down('two'));
    expect([another.broker(2), another.broker(9), another.brokers().size]).toEqual([down('two'), undefined, 2]);
    gone = ['one', 'two'];
    const third = Cluster.open({ brokers: ['two:9092', 'one:9092'] });
    await expect(third).rejects.toThrow('no two');
    for (const each of [cluster, another]) await each.close();
  });

  it('has no partition beyond those of a topic, and no topic that nobody made', async () => {
    const { cluster } = await opened();
    await new Admin(cluster).createTopic('in', 2);
    expect(await cluster.leader('in', 1)).toMatchObject({ address: { host: 'two' }, epoch: 0 });
    await expect(cluster.leader('in', 2)).rejects.toMatchObject({
      ...{
        code: 'source',
        where: 'in/2',
        message: "topic 'in' has no partition 2",
        hint: expect.stringContaining('it has 2'),
      },
    });
    await expect(cluster.leader('none', 0)).rejects.toMatchObject({ code: 'source', where: 'none' });
    await cluster.close();
  });

  it.each([
    [code.topicAuthorizationFailed, 'TOPIC_AUTHORIZATION_FAILED', "grant the user 'Describe' on the topic"],
    [code.invalidTopicException, 'INVALID_TOPIC_EXCEPTION', 'names have 1 to 249 letters'],
  ])('has no topic that it may not see or cannot be, and does not make one: error %i', async (error, name, hint) => {
    const { memory, cluster } = await opened();
    const admin = new Admin(cluster);
    memory.unseen.set('out', error);
    const failure = {
      ...{ code: 'source', where: 'out', permanent: true, hint: expect.stringContaining(hint) },
      message: `cannot look up topic 'out': ${name}`,
    };
    await expect(cluster.topic('out')).rejects.toMatchObject(failure);
    await expect(cluster.leader('out', 0)).rejects.toMatchObject(failure);
    await expect(admin.ensureTopic('out', 1)).rejects.toMatchObject(failure);
    const producer = new KafkaProducer(cluster, admin);
    await expect(producer.send('out', [record('x')])).rejects.toMatchObject(failure);
    // The topics that are looked up beside it are found.
    await admin.createTopic('in', 1);
    const [denied, seen] = await Promise.allSettled([cluster.refresh('out'), cluster.refresh('in')]);
    expect([denied.status, seen.status]).toEqual(['rejected', 'fulfilled']);
    for (const each of [producer, admin, cluster]) await each.close();
  });

  it('waits for the leaders of a topic that is being made', async () => {
    const { memory, cluster } = await opened();
    const admin = new Admin(cluster);
    await admin.createTopic('new', 1);
    memory.unseen.set('new', code.leaderNotAvailable);
    const found = cluster.refresh('new');
    setTimeout(() => memory.unseen.clear(), 30);
    expect((await found)?.leaders).toHaveLength(1);
    await cluster.close();
  });

  it('looks topics up once, while all of their leaders are known', async () => {
    const { memory, cluster } = await opened();
    await new Admin(cluster).createTopic('in', 2);
    const before = memory.asked(metadataV12.api).length;
    for (let n = 0; n < 3; n++) expect((await cluster.topic('in'))?.leaders).toHaveLength(2);
    expect(memory.asked(metadataV12.api)).toHaveLength(before);
    await cluster.refresh('in');
    expect(memory.asked(metadataV12.api).at(-1)).toEqual([['in'], false, false]);
    await cluster.close();
  });

  it.each(['NOT_LEADER_OR_FOLLOWER', 'FENCED_LEADER_EPOCH', 'COORDINATOR_NOT_AVAILABLE'])(
    'asks for the ends of a log again after %s',
    async (name) => {
      const { memory, cluster } = await opened();
      await new Admin(cluster).createTopic('in', 2);
      memory.fail(listOffsetsV7.api, new ProtocolError(name));
      expect(await cluster.endOffset('in', 1, 'any')).toBe(0);
      expect(memory.asked(listOffsetsV7.api).map(([replica, isolation]) => [replica, isolation])).toEqual([
        [-1, 0],
        [-1, 0],
      ]);
      expect(await cluster.endOffset('in', 1, 'committed')).toBe(0);
      expect(memory.asked(listOffsetsV7.api).at(-1)?.[1]).toBe(1);
      memory.fail(listOffsetsV7.api, new ProtocolError('TOPIC_AUTHORIZATION_FAILED'));
      await expect(cluster.startOffset('in', 1)).rejects.toMatchObject({
        ...{ code: 'source', permanent: true, message: expect.stringContaining('cannot read the ends of in/1') },
      });
      await cluster.close();
    },
  );

  it('asks a broker for all that tasks want to know at a time, and fails for those that cannot be told', async () => {
    const { memory, cluster } = await opened();
    const admin = new Admin(cluster);
    await admin.createTopic('in', 40, { 'cleanup.policy': 'compact' });
    memory.topics.get('in')?.logs.splice(38, 2); // the leader does not know them any more
    const all = Array.from({ length: 40 }, (_, partition) => partition);
    const before = memory.asked(listOffsetsV7.api).length;
    const ends = await Promise.allSettled([
      ...all.map((partition) => cluster.endOffset('in', partition, 'any')),
      ...all.map((partition) => cluster.startOffset('in', partition)),
    ]);
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(4);
    expect(ends.filter((each) => each.status === 'fulfilled' && each.value === 0)).toHaveLength(76);
    // Two brokers, both ends, two rounds each at first; then those that were refused.
    expect(memory.asked(listOffsetsV7.api).length - before).toBeLessThanOrEqual(12);

    const ids = all.map((n) => `task-${n}`);
    expect(await Promise.all(ids.map((id) => cluster.coordinator('transaction', id)))).toEqual(
      ids.map(() => ({ host: 'two', port: 9092 })),
    );
    expect(memory.asked(findCoordinatorV4.api).length).toBeLessThanOrEqual(2);

    const asked = memory.asked(describeConfigsV4.api).length;
    const [policy, size, none] = await Promise.all([
      admin.setting('in', 'cleanup.policy'),
      admin.settings('in', ['max.message.bytes']),
      admin.setting('in', 'no.such.setting'),
    ]);
    expect([policy, [...size], none]).toEqual(['compact', [['max.message.bytes', '1048588']], undefined]);
    expect(memory.asked(describeConfigsV4.api).length - asked).toBeLessThanOrEqual(2);
    await cluster.close();
  });

  it('gives up what it asks for again and again after its time, and at once where it is closed', async () => {
    const { memory, cluster } = await opened({ apiTimeoutMs: 60 });
    for (let n = 0; n < 50; n++) memory.fail(findCoordinatorV4.api, new NetworkError('gone'));
    await expect(cluster.coordinator('group', 'g')).rejects.toMatchObject({
      ...{ code: 'state', message: expect.stringContaining("cannot find the coordinator of group 'g'") },
    });
    const tries = memory.asked(findCoordinatorV4.api).length;
    expect(tries).toBeGreaterThan(1);
    expect(memory.asked(findCoordinatorV4.api).map(([type, keys]) => [type, keys])).toEqual(
      Array(tries).fill([0, ['g']]),
    );
    await cluster.close();
    await expect(cluster.coordinator('transaction', 't')).rejects.toMatchObject({ code: 'state' });
    expect(memory.asked(findCoordinatorV4.api).length).toBeLessThanOrEqual(tries + 1);
  });
});
