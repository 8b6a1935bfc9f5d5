import { setTimeout as sleep } from 'node:timers/promises';
import { Kafka as KafkaJs, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { Transaction } from '../../../connectors/kafka/transaction.js';
import { type Checkpoint, EARLIEST, type RestoredTask, type TaskLedger } from '../../../src/core/checkpoint.js';
import { seconds } from '../../../src/core/duration.js';
import type { SinkWriter } from '../../../src/core/sink.js';
import { originAt } from '../../../src/testing/contract.js';
import { broker, foreignProducer, foreignRead, fresh, librdkafka, open, settled, sink, source } from './world.js';

const prefix = fresh('ledger');
let kafka: Kafka;
/** What a test opened and left as a killed process would; closed at the end. */
const abandoned: Kafka[] = [];
const topics = new Set<string>();
const admin = new KafkaJs({ brokers: [broker()], logLevel: logLevel.NOTHING }).admin();

beforeAll(async () => {
  kafka = await open({ prefix });
  await admin.connect();
});
afterAll(async () => {
  for (const topic of topics) await kafka.deleteTopic(topic);
  for (const each of [kafka, ...abandoned]) await each.close();
  await admin.disconnect();
});

const BOTH = ['departed', 'arrived'] as const;

interface Task {
  readonly ledger: TaskLedger;
  readonly writer: SinkWriter;
  readonly restored: RestoredTask;
}

interface Job {
  readonly topology: string;
  readonly departed: string;
  readonly arrived: string;
  readonly out: string;
}

const EPOCH_MS = 1_700_000_000_000;

/** Two inputs with ten records each in partition 1, and an output. */
async function newJob(): Promise<Job> {
  const topology = fresh('job');
  const job = { topology, departed: `${topology}.departed`, arrived: `${topology}.arrived`, out: `${topology}.out` };
  for (const topic of [job.departed, job.arrived, job.out]) {
    topics.add(topic);
    await kafka.createTopic(topic, 2);
  }
  topics.add(changelogOf(job));
  await refill(job);
  return job;
}

const changelogOf = ({ topology }: Job): string => `${prefix}.${topology}.changelog`;

async function refill({ departed, arrived }: Job): Promise<void> {
  const producer = await foreignProducer();
  for (const topic of [departed, arrived]) {
    await producer.send({
      topic,
      messages: Array.from({ length: 10 }, (_, n) => ({ partition: 1, value: `{"n":${n}}` })),
    });
  }
  await producer.disconnect();
}

/** Opens partition 1 of a job as the runtime does: ledger, restore, sink, inputs. */
async function openTask(
  { topology, departed, arrived, out }: Job,
  world = kafka,
  steps: readonly (typeof BOTH)[number][] = BOTH,
): Promise<Task> {
  const task = { topology, partition: 1 };
  const ledger = await world.openLedger(task);
  const restored = await ledger.restore();
  const writer = await world.topicSink.open(sink(out), { step: 'out', task, incarnation: 0 });
  for (const step of steps) {
    const topic = { departed, arrived }[step];
    const offset = restored.checkpoint?.positions[step]?.offset ?? EARLIEST;
    const reader = await world.source.open(source(topic), {
      task,
      partition: task.partition,
      offset,
      bounded: true,
      step,
    });
    await reader.close();
  }
  return { ledger, writer, restored };
}

const checkpoint = (epoch: number, departed: number, arrived: number): Checkpoint => {
  const position = (offset: number) => ({ offset, mergeTimeMs: EPOCH_MS });
  return {
    epoch,
    incarnation: 0,
    topologyHash: 'hash',
    positions: { departed: position(departed), arrived: position(arrived) },
    settledDecisions: {},
  };
};

const write = async ({ writer }: Task, numbers: readonly number[]) =>
  writer.write(
    numbers.map((n) => ({ n })),
    numbers.map((n) => originAt(n, 1)),
  );

async function outputOf({ out }: Job): Promise<number[]> {
  await settled(prefix);
  const numbers = (await foreignRead(out)).map(({ value }) => (JSON.parse(value ?? '') as { n: number }).n);
  return numbers.sort((a, b) => a - b); // keys are spread over two partitions
}

async function groupOffsets({ topology }: Job): Promise<Record<string, string>> {
  await settled(prefix);
  const fetched = await admin.fetchOffsets({ groupId: `${prefix}.${topology}` });
  return Object.fromEntries(
    fetched.flatMap(({ topic, partitions }) =>
      partitions.filter(({ partition }) => partition === 1).map(({ offset }) => [topic, offset]),
    ),
  );
}

describe('an epoch', () => {
  it('refuses a changelog whose records the broker deletes by their age', async () => {
    const job = await newJob();
    await kafka.createTopic(changelogOf(job), 2, { 'cleanup.policy': 'compact,delete' });
    await expect(kafka.openLedger({ topology: job.topology, partition: 1 })).rejects.toMatchObject({
      code: 'config',
      where: changelogOf(job),
      message: expect.stringContaining("'compact,delete'"),
      hint: expect.stringContaining('cleanup.policy=compact'),
    });
  });

  it('commits outputs, state and the group offsets of both inputs together', async () => {
    const job = await newJob();
    const task = await openTask(job);
    expect(task.restored).toEqual({ checkpoint: undefined, state: [] });
    await write(task, [1, 2, 3]);
    expect(await outputOf(job)).toEqual([]);
    expect(await groupOffsets(job)).toEqual({});
    await task.ledger.commit(checkpoint(1, 3, 2), [
      { step: 's', cell: 'c', bucket: 0, version: 1, bytes: Buffer.from('x') },
    ]);
    expect(await outputOf(job)).toEqual([1, 2, 3]);
    expect(await groupOffsets(job)).toEqual({ [job.departed]: '3', [job.arrived]: '2' });
    await task.ledger.commit(checkpoint(2, 4, 2), []);
    expect(await groupOffsets(job)).toEqual({ [job.departed]: '4', [job.arrived]: '2' });
    await task.ledger.close();
    const again = await openTask(job);
    expect(again.restored.checkpoint).toEqual(checkpoint(2, 4, 2));
    expect(again.restored.state).toHaveLength(1);
    await again.ledger.close();
  });

  it('does not hold back a task that opens, while another one commits', async () => {
    const job = await newJob();
    const before = await openTask(job);
    await before.ledger.commit(checkpoint(1, 3, 2), []);
    await before.ledger.close();
    const [earlier, other] = [await foreignProducer(fresh('earlier')), await foreignProducer(fresh('other-task'))];
    const offsetOf = (offset: string) => ({
      consumerGroupId: `${prefix}.${job.topology}`,
      topics: [{ topic: job.departed, partitions: [{ partition: 0, offset }] }],
    });
    // Of an offset that exists and is about to change: only that one is refused.
    const first = await earlier.transaction();
    await first.sendOffsets(offsetOf('1'));
    await first.commit();
    await earlier.disconnect();
    const transaction = await other.transaction();
    await transaction.sendOffsets(offsetOf('2'));
    const startedMs = performance.now();
    const again = await openTask(job);
    expect(performance.now() - startedMs).toBeLessThan(20_000); // it would be asked for again for half a minute, and fail
    expect(again.restored.checkpoint).toEqual(checkpoint(1, 3, 2));
    await again.ledger.close();
    await transaction.abort();
    await other.disconnect();
  });

  it('commits no offset for an input that was never read', async () => {
    const job = await newJob();
    const { ledger } = await openTask(job);
    await ledger.commit(checkpoint(1, 3, EARLIEST), []);
    expect(await groupOffsets(job)).toEqual({ [job.departed]: '3' });
    await ledger.close();
    const again = await openTask(job);
    expect(again.restored.checkpoint?.positions.arrived?.offset).toBe(EARLIEST);
    await again.ledger.close();
  });
});

describe('a task that is closed while it commits, as one that hangs', () => {
  // Before its offsets, and before its end: at each of them the commit waits until the task is closed.
  it.each(['commitOffsets', 'end'] as const)('at %s commits all of it or nothing', async (call) => {
    const job = await newJob();
    const world = await open({ prefix });
    abandoned.push(world);
    const first = await openTask(job, world);
    await write(first, [1]);
    await first.ledger.commit(checkpoint(1, 1, 0), []);
    await settled(prefix);

    type Calls = Record<'commitOffsets' | 'end' | 'markersWritten', (...args: unknown[]) => Promise<unknown>>;
    const calls = Transaction.prototype as unknown as Calls;
    const original = calls[call];
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    vi.spyOn(calls, call).mockImplementation(async function (this: unknown, ...args) {
      if (args[0] !== false) await held;
      return original.apply(this, args);
    });
    await write(first, [2]);
    const committing = first.ledger.commit(checkpoint(2, 2, 0), []).catch((error: unknown) => error);
    await vi.waitFor(() => expect(calls[call]).toHaveBeenCalled());
    vi.spyOn(calls, 'markersWritten').mockImplementation(async () => {
      goOn();
      await committing;
    });
    const closing = first.ledger.close();
    await sleep(500);
    goOn();
    await Promise.all([committing, closing]);
    vi.restoreAllMocks();

    const second = await openTask(job);
    const { epoch } = second.restored.checkpoint as Checkpoint;
    expect(await groupOffsets(job)).toMatchObject({ [job.departed]: `${epoch}` });
    await settled(prefix);
    expect(await outputOf(job)).toEqual([1, 2].slice(0, epoch));
    await second.ledger.close();
  });
});

describe('a crash', () => {
  it('between the writes and the commit leaves the old checkpoint and no output', async () => {
    const job = await newJob();
    const crashed = await open({ prefix });
    abandoned.push(crashed);
    const first = await openTask(job, crashed);
    await write(first, [1, 2]);
    await first.ledger.commit(checkpoint(1, 2, 0), []);
    const before = await recordsIn(job);
    // Full batches leave at once, so these are in the log, inside an open transaction.
    const filler = 'x'.repeat(990_000);
    const origin = originAt(3, 1);
    await first.writer.write(
      [
        { n: 3, filler },
        { n: 4, filler },
      ],
      [origin, origin],
    );
    while ((await recordsIn(job)) === before);
    expect(await outputOf(job)).toEqual([1, 2]);

    const second = await openTask(job);
    expect(second.restored.checkpoint).toEqual(checkpoint(1, 2, 0));
    await write(second, [3, 4]);
    await second.ledger.commit(checkpoint(2, 4, 0), []);
    await second.ledger.close();
    expect(await outputOf(job)).toEqual([1, 2, 3, 4]);
  });

  /** Uncommitted ones too. */
  const recordsIn = ({ out }: Job): Promise<number> =>
    librdkafka(
      `
consumer = Consumer({'bootstrap.servers': broker, 'group.id': 'unused', 'isolation.level': 'read_uncommitted'})
print(sum(consumer.get_watermark_offsets(TopicPartition(args[0], partition), 10)[1] for partition in (0, 1)))`,
      out,
    );
});

describe('a clock that is two days ahead', () => {
  it('does not keep a task from its checkpoints', async () => {
    const job = await newJob();
    const task = await openTask(job);
    const nowMs = Date.now() + 2 * 86_400_000;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => nowMs);
    try {
      await write(task, [1]);
      await task.ledger.commit(checkpoint(1, 1, 1), [
        { step: 's', cell: 'c', bucket: 0, version: 1, bytes: Buffer.from('x') },
      ]);
    } finally {
      clock.mockRestore();
    }
    await task.ledger.close();
    expect(await outputOf(job)).toEqual([1]);
  });
});

describe('a second owner', () => {
  it('fences the first, whose records and checkpoint then count for nothing', async () => {
    const job = await newJob();
    const other = await open({ prefix });
    abandoned.push(other);
    const first = await openTask(job, other);
    await write(first, [1]);
    await first.ledger.commit(checkpoint(1, 1, 0), []);
    await write(first, [2]);

    const second = await openTask(job);
    expect(second.restored.checkpoint).toEqual(checkpoint(1, 1, 0));
    await expect(first.ledger.commit(checkpoint(2, 2, 0), [])).rejects.toMatchObject({ code: 'fenced' });
    await expect(first.ledger.commit(checkpoint(3, 3, 0), [])).rejects.toMatchObject({ code: 'fenced' });
    await expect(
      (async () => {
        for (;;) await write(first, [99]);
      })(),
    ).rejects.toMatchObject({ code: 'fenced' });

    await write(second, [2]);
    await second.ledger.commit(checkpoint(2, 2, 0), []);
    await second.ledger.close();
    expect(await outputOf(job)).toEqual([1, 2]);
    expect(await groupOffsets(job)).toMatchObject({ [job.departed]: '2' });
  });
});

describe('a transaction that took too long', () => {
  it('is a failure that a restore mends, not a fence', { timeout: 60_000 }, async () => {
    const job = await newJob();
    const hasty = await open({ prefix, transactionTimeout: seconds(1) });
    abandoned.push(hasty);
    const task = await openTask(job, hasty);
    const large = { n: 1, filler: 'x'.repeat(990_000) };
    await task.writer.write([large, large], [originAt(1, 1), originAt(2, 1)]);
    // The broker looks for such transactions every ten seconds.
    await new Promise((resolve) => setTimeout(resolve, 13_000));
    await expect(task.ledger.commit(checkpoint(1, 1, 0), [])).rejects.toMatchObject({
      code: 'sink',
      message: expect.stringContaining('took longer than 1000 ms'),
    });
    await expect(task.ledger.commit(checkpoint(1, 1, 0), [])).rejects.toMatchObject({ code: 'state' });
    await task.ledger.close();
    const again = await openTask(job, hasty);
    expect(again.restored.checkpoint).toBeUndefined();
    await write(again, [1]);
    await again.ledger.commit(checkpoint(1, 1, 0), []);
    await again.ledger.close();
    expect(await outputOf(job)).toEqual([1]);
  });
});

describe('what does not fit together', () => {
  it('is refused: offsets moved by hand', async () => {
    const job = await newJob();
    const { ledger } = await openTask(job);
    await ledger.commit(checkpoint(1, 5, 5), []);
    await ledger.close();
    await admin.setOffsets({
      groupId: `${prefix}.${job.topology}`,
      topic: job.departed,
      partitions: [{ partition: 1, offset: '2' }],
    });
    await expect(openTask(job)).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining(`stands at 2 of ${job.departed}/1, the checkpoint at 5`),
    });
  });

  it('is refused: a changelog that was deleted while the group lived on', async () => {
    const job = await newJob();
    const { ledger } = await openTask(job);
    await ledger.commit(checkpoint(1, 5, 5), []);
    await ledger.close();
    await kafka.deleteTopic(changelogOf(job));
    await expect(openTask(job)).rejects.toMatchObject({
      code: 'state',
      message: expect.stringContaining('has no checkpoint'),
      hint: expect.stringContaining('remove its fences there as well'),
    });
    await admin.deleteGroups([`${prefix}.${job.topology}`]);
    const again = await openTask(job);
    expect(again.restored.checkpoint).toBeUndefined();
    await again.ledger.close();
  });

  it('is refused: an input that was deleted and created again, or is another topic now', async () => {
    const job = await newJob();
    const { ledger } = await openTask(job);
    await ledger.commit(checkpoint(1, 5, 5), []);
    await ledger.close();
    const renamed = { ...job, departed: job.arrived };
    await expect(openTask(renamed)).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining('its position is in'),
    });
    await kafka.deleteTopic(job.departed);
    await kafka.createTopic(job.departed, 2);
    await refill(job);
    await expect(openTask(job)).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining('was deleted and created again'),
    });
  });

  it('is refused: an input that left, came back and was created again meanwhile', async () => {
    const job = await newJob();
    const before = await openTask(job);
    await before.ledger.commit(checkpoint(1, 5, 5), []);
    await before.ledger.close();
    const without = await openTask(job, kafka, ['departed']);
    await without.ledger.commit(checkpoint(2, 6, 5), []);
    await without.ledger.close();
    await kafka.deleteTopic(job.arrived);
    await kafka.createTopic(job.arrived, 2);
    await refill({ ...job, departed: job.arrived });
    await expect(openTask(job)).rejects.toMatchObject({
      code: 'source',
      message: expect.stringContaining('was deleted and created again'),
    });
  });

  it('is refused: a commit before the restore', async () => {
    const job = await newJob();
    const ledger = await kafka.openLedger({ topology: job.topology, partition: 0 });
    await expect(ledger.commit(checkpoint(1, 0, 0), [])).rejects.toMatchObject({ code: 'state' });
    await ledger.close();
  });
});
