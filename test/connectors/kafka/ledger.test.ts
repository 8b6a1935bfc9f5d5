import { setTimeout as sleep } from 'node:timers/promises';
import { NetworkError, ProtocolError } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { groupOffsetsApi } from '../../../connectors/kafka/protocol/group-offsets.js';
import { endInOwnEpochApi } from '../../../connectors/kafka/protocol/transactions.js';
import { type Checkpoint, EARLIEST } from '../../../src/core/checkpoint.js';
import { originAt } from '../../../src/testing/contract.js';
import { readAll, sink, source } from '../../integration/kafka/world.js';
import { record } from './batches.js';
import { memoryKafka } from './memory-kafka.js';

const TASK = { topology: 'job', partition: 1 };
const CHANGELOG = 'millrace.job.changelog';
const TOPICS = { departed: 'departed', arrived: 'arrived' };

let brokers: ReturnType<typeof memoryKafka>;
let kafka: Kafka;
beforeEach(async () => {
  brokers = memoryKafka({ ownEpochs: true });
  kafka = await brokers.connect();
  for (const topic of ['departed', 'arrived', 'out']) await create(topic);
});
afterEach(async () => {
  await kafka.close();
  vi.restoreAllMocks();
});

async function create(topic: string): Promise<void> {
  await kafka.createTopic(topic, 2);
  await kafka.producer().append(
    topic,
    1,
    Array.from({ length: 10 }, (_, n) => record(`{"n":${n}}`)),
  );
}

/** Opens the task as the runtime does: ledger, restore, inputs. */
async function opened(topics: Readonly<Record<string, string>> = TOPICS) {
  const ledger = await kafka.openLedger(TASK);
  const restored = await ledger.restore();
  for (const [step, topic] of Object.entries(topics)) {
    const offset = restored.checkpoint?.positions[step]?.offset ?? EARLIEST;
    const reader = await kafka.source.open(source(topic), { task: TASK, partition: 1, offset, bounded: true, step });
    await reader.close();
  }
  return { ledger, restored };
}

function checkpoint(epoch: number, departed: number, arrived: number): Checkpoint {
  const position = (offset: number) => ({ offset, mergeTimeMs: 0 });
  const positions = { departed: position(departed), arrived: position(arrived) };
  return { epoch, incarnation: 0, topologyHash: 'hash', positions, settledDecisions: {} };
}

async function committed(epoch: number, departed: number, arrived: number, topics?: Readonly<Record<string, string>>) {
  const { ledger } = await opened(topics);
  await ledger.commit(checkpoint(epoch, departed, arrived), []);
  await ledger.close();
}

const groupOffsets = () => Object.fromEntries(brokers.groupOf('millrace.job').offsets);

describe('a ledger', () => {
  it('commits the offsets of the inputs that were read, with the checkpoint', async () => {
    await committed(1, 3, EARLIEST);
    expect(groupOffsets()).toEqual({ 'departed/1': 3 });
    expect((await opened()).restored.checkpoint).toEqual(checkpoint(1, 3, EARLIEST));
    await committed(2, 4, 2);
    expect(groupOffsets()).toEqual({ 'departed/1': 4, 'arrived/1': 2 });
  });

  it('refuses a changelog whose records the broker deletes by their age', async () => {
    await kafka.createTopic(CHANGELOG, 2, { 'cleanup.policy': 'compact,delete' });
    await expect(kafka.openLedger(TASK)).rejects.toMatchObject({
      ...{ code: 'config', where: CHANGELOG, permanent: true },
      message: "the changelog has cleanup.policy 'compact,delete', not 'compact'",
    });
  });

  it('has a partition for each task in its changelog, compacted and dated by the broker', async () => {
    await kafka.openLedger({ topology: 'job', partition: 4 });
    const { logs, configs } = brokers.topics.get(CHANGELOG) ?? {};
    expect(logs).toHaveLength(5);
    await kafka.openLedger({ topology: 'job', partition: 6 });
    expect(logs).toHaveLength(7);
    expect(configs?.get('cleanup.policy')).toBe('compact');
    expect(configs?.get('message.timestamp.type')).toBe('LogAppendTime');
    expect(configs?.get('retention.ms')).toBe('-1');
  });

  it('is used in order: restored, committed to, closed', async () => {
    const ledger = await kafka.openLedger(TASK);
    const refused = (state: string) => ({ code: 'state', where: 'millrace.job.1', message: `the ledger is ${state}` });
    const early = ledger.commit(checkpoint(1, 0, 0), []);
    await expect(early).rejects.toMatchObject({ ...refused(''), message: 'the ledger is opened, not restored' });
    await ledger.restore();
    await expect(ledger.restore()).rejects.toMatchObject({ message: 'the ledger is restored, not opened' });
    await ledger.close();
    await ledger.close();
    await expect(ledger.restore()).rejects.toMatchObject({ message: 'the ledger is closed, not opened' });
  });

  it('refuses all after a commit of unknown result, whose state the next owner reads', async () => {
    const { ledger } = await opened();
    brokers.fail(endInOwnEpochApi, new NetworkError('the connection is gone'), true);
    await expect(ledger.commit(checkpoint(1, 1, 1), [])).rejects.toMatchObject({ code: 'sink' });
    await expect(ledger.commit(checkpoint(1, 1, 1), [])).rejects.toMatchObject({
      ...{ code: 'state', message: 'the ledger is failed, not restored', cause: { code: 'sink' } },
    });
    await ledger.close();
    expect((await opened()).restored.checkpoint).toEqual(checkpoint(1, 1, 1));
  });

  it('of a task that another process took is fenced, and stays so', async () => {
    const { ledger } = await opened();
    const writer = await kafka.topicSink.open(sink('out'), { step: 'out', task: TASK, incarnation: 0 });
    await writer.write([{ n: 1 }], [originAt(1, 1)]);
    const other = await brokers.connect();
    await (await other.openLedger(TASK)).restore();
    for (const epoch of [1, 2])
      await expect(ledger.commit(checkpoint(epoch, 1, 1), [])).rejects.toMatchObject({ code: 'fenced' });
    await other.close();
    expect(await readAll(kafka, 'out', 1)).toHaveLength(10);
  });

  it('waits for the transactions of its own partition only', async () => {
    await committed(1, 5, 5);
    brokers.groupOf('millrace.job').offsets.set('departed/0', 9);
    brokers.pending.add('millrace.job departed/0');
    expect((await opened()).restored.checkpoint?.epoch).toBe(1);
    brokers.pending.add('millrace.job departed/1');
    let isOpen = false;
    const waiting = opened().finally(() => {
      isOpen = true;
    });
    await sleep(100);
    expect(isOpen).toBe(false);
    brokers.pending.delete('millrace.job departed/1');
    expect((await waiting).restored.checkpoint?.epoch).toBe(1);
  });

  it('says that the offsets of the group cannot be read', async () => {
    const ledger = await kafka.openLedger(TASK);
    brokers.fail(groupOffsetsApi, new ProtocolError('GROUP_AUTHORIZATION_FAILED'));
    await expect(ledger.restore()).rejects.toMatchObject({
      ...{ code: 'state', message: expect.stringContaining("cannot read the offsets of group 'millrace.job'") },
    });
  });
});

describe('what does not fit together is refused', () => {
  it('offsets that were moved by hand', async () => {
    await committed(1, 5, 5);
    brokers.groupOf('millrace.job').offsets.set('departed/1', 2);
    brokers.groupOf('millrace.job').offsets.set('departed/0', 9); // another task's
    await expect(opened()).rejects.toMatchObject({
      ...{ code: 'state', where: `${CHANGELOG}/1`, permanent: true },
      message: "group 'millrace.job' stands at 2 of departed/1, the checkpoint at 5",
    });
  });

  it('a changelog that was deleted while the group lived on', async () => {
    await committed(1, 5, 5);
    await kafka.deleteTopic(CHANGELOG);
    await expect(opened()).rejects.toMatchObject({
      ...{ code: 'state', where: `${CHANGELOG}/1`, permanent: true },
      message: "group 'millrace.job' has read departed/1 but has no checkpoint",
    });
    // Another task of the group has offsets, and this one none.
    brokers.groupOf('millrace.job').offsets.delete('departed/1');
    brokers.groupOf('millrace.job').offsets.delete('arrived/1');
    brokers.groupOf('millrace.job').offsets.set('departed/0', 3);
    expect((await opened()).restored.checkpoint).toBeUndefined();
  });

  it('an input that is another topic now', async () => {
    await committed(1, 5, 5);
    await expect(opened({ departed: 'arrived' })).rejects.toMatchObject({
      ...{ code: 'source', where: 'departed', permanent: true },
      message: "source 'departed' now reads 'arrived', its position is in 'departed'",
    });
  });

  it.each([[TOPICS], [{ departed: 'departed' }]])(
    'an input that was created again, read meanwhile: %o',
    async (topics) => {
      await committed(1, 5, 5);
      await committed(2, 6, 5, topics); // the source that left keeps its topic
      await kafka.deleteTopic('arrived');
      await create('arrived');
      await expect(opened()).rejects.toMatchObject({
        ...{ code: 'source', where: 'arrived', permanent: true },
        message: "topic 'arrived' was deleted and created again since the last checkpoint",
      });
    },
  );
});
