import {
  createTopicsV7,
  describeProducersV0,
  initProducerIdV5,
  joinGroupV8,
  leaveGroupV5,
  ProtocolError,
} from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import type { TopologyVersion } from '../../../src/core/profile.js';
import { readAll, source } from '../../integration/kafka/world.js';
import { record, text } from './batches.js';
import { memoryKafka } from './memory-kafka.js';

let brokers: ReturnType<typeof memoryKafka>;
let kafka: Kafka;
beforeEach(async () => {
  brokers = memoryKafka();
  kafka = await brokers.connect();
});
afterEach(async () => {
  await kafka.close();
  vi.restoreAllMocks();
});

const at = (timestampMs: number) => ({ ...record('{}'), timestampMs });

/** A transaction of another program that has written one record into the first partition. */
async function hold(topic: string, startedMs = Date.now()) {
  const other = await brokers.connect({ prefix: 'other' });
  await other.createTopic('others', 1);
  const ledger = await other.openLedger({ topology: 'job', partition: 0 });
  await ledger.restore();
  const log = brokers.topics.get(topic)?.logs[0];
  log?.open.set(brokers.transactions.get('other.job.0')?.producerId ?? 0n, { epoch: 0, firstOffset: log.end });
  await kafka.producer().append(topic, 0, [record('{}')]);
  const transaction = brokers.transactions.get('other.job.0');
  if (transaction) Object.assign(transaction, { state: 'Ongoing', startedMs });
  return other;
}

describe('topics', () => {
  it('are made once, keep their records for ever unless told otherwise, and may not have another number of partitions', async () => {
    await kafka.createTopic('kept', 2);
    await kafka.createTopic('brief', 1, { 'retention.ms': '1000' });
    expect(['kept', 'brief'].map((name) => brokers.topics.get(name)?.configs.get('retention.ms'))).toEqual([
      '-1',
      '1000',
    ]);
    await kafka.createTopic('kept', 2, { 'retention.ms': '1000' });
    expect(brokers.topics.get('kept')?.configs.get('retention.ms')).toBe('-1');
    await expect(kafka.createTopic('kept', 3)).rejects.toMatchObject({
      ...{ code: 'config', where: 'kept', message: "topic 'kept' has 2 partitions, not 3" },
    });
  });

  it('that another process makes at the same time are taken', async () => {
    brokers.fail(createTopicsV7.api, new ProtocolError('TOPIC_ALREADY_EXISTS'), true);
    await kafka.createTopic('raced', 2);
    brokers.fail(createTopicsV7.api, new ProtocolError('POLICY_VIOLATION'));
    await expect(kafka.createTopic('refused', 2)).rejects.toMatchObject({
      ...{ code: 'config', message: expect.stringContaining("cannot create topic 'refused'") },
    });
  });

  it('have as many replicas as the cluster was opened with, or as the brokers give', async () => {
    const three = await brokers.connect({ replication: 3 });
    await three.createTopic('three', 1);
    await kafka.createTopic('default', 1);
    expect(brokers.asked(createTopicsV7.api).map(([[topic]]) => topic?.replicationFactor)).toEqual([3, -1]);
    await three.close();
  });

  it('are deleted, also where there is none', async () => {
    await kafka.createTopic('gone', 1);
    await kafka.deleteTopic('gone');
    await kafka.deleteTopic('gone');
    await expect(kafka.endOffsets('gone')).rejects.toMatchObject({ code: 'source', where: 'gone' });
  });
});

describe('the points of a log', () => {
  it('are its ends, and the first record of a time or later', async () => {
    await kafka.createTopic('log', 2);
    const producer = kafka.producer();
    for (const timeMs of [1_000, 2_000, 3_000]) await producer.append('log', 1, [at(timeMs)]);
    brokers.topics.get('log')?.logs[1]?.deleteBefore(1);
    expect(await kafka.endOffsets('log')).toEqual([0, 3]);
    expect(await kafka.offsetsAt('log', 'earliest')).toEqual([0, 1]);
    expect(await kafka.offsetsAt('log', 'latest')).toEqual([0, 3]);
    expect(await kafka.offsetsAt('log', { timestampMs: 1_500 })).toEqual([0, 1]);
    expect(await kafka.offsetsAt('log', { timestampMs: 3_000 })).toEqual([0, 2]);
    expect(await kafka.offsetsAt('log', { timestampMs: 3_001 })).toEqual([0, 3]); // none: the end
  });

  it('that an open transaction holds back are told with who holds them', async () => {
    await kafka.createTopic('log', 2);
    await kafka.producer().append('log', 0, [at(1_000)]);
    const other = await hold('log', 1_700_000_000_000);
    const [held, free] = await kafka.logEnds('log');
    expect(free).toEqual({ end: 0, stableEnd: 0 });
    expect(held).toMatchObject({ end: 2, stableEnd: 1 });
    expect(held?.heldBy).toContain(
      "transactional id 'other.job.0'; it ends with its producer, or by timeout at 2023-11-14",
    );
    expect(held?.heldBy).toContain('--bootstrap-server one:9092 abort --topic log --partition 0 --start-offset 1');
    expect(await kafka.endOffsets('log')).toEqual([1, 0]);
    await other.close();
  });

  it('of a transaction that no coordinator knows any more are told, unless its end was on its way', async () => {
    await kafka.createTopic('log', 3);
    const logs = brokers.topics.get('log')?.logs ?? [];
    for (const [partition, log] of logs.entries()) {
      log.open.set(77n, { epoch: 0, firstOffset: 0 });
      await kafka.producer().append('log', partition, [at(1_000)]);
    }
    const found = kafka.logEnds('log');
    await vi.waitFor(() => expect(brokers.asked(describeProducersV0.api)).toHaveLength(3));
    logs[1]?.open.clear();
    logs[2]?.open.set(77n, { epoch: 0, firstOffset: 1 }); // its next one, which may still end by itself
    const [hanging, ...passing] = await found;
    expect(hanging?.heldBy).toContain('producer id 77 (epoch 0) holds it; no coordinator knows it');
    expect(passing).toEqual(Array(2).fill({ end: 1, stableEnd: 0 }));
  });
});

describe('a producer', () => {
  it('puts records with a key where all clients put them, and others in turn', async () => {
    await kafka.createTopic('out', 2);
    const producer = kafka.producer();
    await producer.send('out', [record('a', 'k'), record('b', 'k'), record('c'), record('d'), record('e')]);
    const values = async (partition: number) =>
      (await readAll(kafka, 'out', partition)).map(({ value }) => text(value));
    const both = [await values(0), await values(1)];
    expect(both.map((each) => each.filter((value) => 'ab'.includes(value ?? '')).join(''))).toEqual(
      expect.arrayContaining(['ab', '']),
    );
    expect(both.map((each) => each.filter((value) => 'cde'.includes(value ?? '')).join(''))).toEqual(['ce', 'd']);
    await expect(producer.append('out', 2, [record('x')])).rejects.toMatchObject({
      ...{ code: 'sink', where: 'out', message: "topic 'out' has no partition 2", hint: 'it has 2, counted from 0' },
    });
    await producer.append('out', 1, [record('y')]); // the refusal has not ended it
    expect(await values(1)).toHaveLength(both[1]?.length ? both[1].length + 1 : 1);
    expect(brokers.asked(initProducerIdV5.api)).toEqual([[null, 0, -1n, -1]]);
  });

  it('needs a topic, and says what a broker does not take', async () => {
    await expect(kafka.producer().send('missing', [record('x')])).rejects.toMatchObject({
      code: 'source',
      where: 'missing',
    });
    await kafka.createTopic('small', 1, { 'max.message.bytes': '100' });
    await expect(kafka.producer().send('small', [record('x'.repeat(200))])).rejects.toMatchObject({
      ...{ code: 'sink', where: 'small', message: expect.stringContaining("cannot append to topic 'small'") },
    });
  });
});

/** The topics that a member names in its metadata: after a version, texts with their lengths. */
function decodeTopics(metadata: Buffer): string[] {
  const topics: string[] = [];
  for (let at = 6; topics.length < metadata.readInt32BE(2); ) {
    const length = metadata.readInt16BE(at);
    topics.push(metadata.toString('utf8', at + 2, at + 2 + length));
    at += 2 + length;
  }
  return topics;
}

describe('a group', () => {
  const version: TopologyVersion = { hash: 'h', layout: 'l', accepted: false };
  const joined = async (topics: readonly string[]) => {
    const assigned: (readonly number[])[] = [];
    const membership = await kafka.join({
      ...{ topology: 'job', tasks: 3, version, sources: topics.map((topic) => source(topic)) },
      onAssigned: (tasks) => assigned.push(tasks),
      onFailed: (cause) => {
        throw cause;
      },
    });
    return { membership, assigned };
  };

  it('of one process gives it all tasks, which it may open', async () => {
    await kafka.createTopic('in', 3);
    const { assigned } = await joined(['in', 'in']);
    expect(assigned).toEqual([[0, 1, 2]]);
    const ledger = await kafka.openLedger({ topology: 'job', partition: 2 });
    await ledger.restore();
    await expect(kafka.openLedger({ topology: 'job', partition: 3 })).rejects.toMatchObject({ code: 'fenced' });
    await expect(kafka.checkpoints.mustBeStopped('job')).rejects.toMatchObject({
      ...{ code: 'config', where: 'job', message: '1 process runs the topology' },
    });
    await kafka.close();
    expect(brokers.asked(leaveGroupV5.api)).toHaveLength(1);
    expect(brokers.groupOf('millrace.job').members.size).toBe(0);
  });

  it('of a topology that reads no topics is one of its changelog', async () => {
    await kafka.createTopic('in', 3);
    await joined(['in', 'in']);
    const named = () => brokers.asked(joinGroupV8.api).map((args) => decodeTopics(args[6][0]?.metadata as Buffer));
    expect(named()).toEqual([['in']]);
    await joined([]);
    expect(named()[1]).toEqual(['millrace.job.changelog']);
  });

  it('needs a topic that exists', async () => {
    await expect(joined(['missing'])).rejects.toMatchObject({ code: 'config', where: 'job' });
  });

  it('whose member is dead is told so', async () => {
    brokers.groupOf('millrace.job').members.set('dead', Buffer.alloc(0));
    await kafka.removeMember('job', 'dead');
    expect(brokers.groupOf('millrace.job').members.size).toBe(0);
  });

  it('is forgotten with its offsets and its changelog, also where there is none', async () => {
    const ledger = await kafka.openLedger({ topology: 'job', partition: 0 });
    await ledger.restore();
    brokers.groupOf('millrace.job').offsets.set('in/0', 3);
    await kafka.forget('job');
    expect(brokers.topics.has('millrace.job.changelog')).toBe(false);
    expect(brokers.groupOf('millrace.job').offsets.size).toBe(0);
    await kafka.forget('never');
  });
});

it('the examination says what the brokers lack', async () => {
  const said = async () => (await kafka.examine()).map((each) => `${each.state}: ${each.said}`);
  expect(await said()).toEqual([
    'fine: 2 brokers answered',
    'warning: the brokers have not agreed on transaction.version 2',
    ...Array(2).fill(
      'warning: one copy is kept of state and outputs in topics that a run creates (default.replication.factor)',
    ),
  ]);
  await kafka.close();
  brokers = memoryKafka({ ownEpochs: true });
  kafka = await brokers.connect();
  expect((await said()).filter((each) => each.includes('transaction.version'))).toEqual([]);
});

it.each([
  [{ sasl: { mechanism: 'plain', username: 'u', password: 'p' } as const }, true],
  [{ sasl: { mechanism: 'scram-sha-512', username: 'u', password: 'p' } as const }, false],
  [{ sasl: { mechanism: 'plain', username: 'u', password: 'p' } as const, tls: {} }, false],
  [{}, false],
])('a login that shows its password to the network is warned of: %o', async (options, isWarned) => {
  const warnings: string[] = [];
  const other = await brokers.connect({ ...options, onWarning: (message) => warnings.push(message) });
  expect(warnings.map((each) => each.includes('in the clear'))).toEqual(isWarned ? [true] : []);
  await other.close();
});
