import { deleteRecordsV2, NetworkError, ProtocolError } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import {
  EARLIEST,
  INTERNAL,
  type InternalSinkOptions,
  internalEventTime,
  markerOf,
  partitionOf,
  type RawRecord,
  type Schema,
  type Sink,
  seconds,
  type WatermarkMarker,
} from '../../../src/core/index.js';
import { originAt } from '../../../src/testing/contract.js';
import { json, source } from '../../integration/kafka/world.js';
import { text } from './batches.js';
import { memoryKafka } from './memory-kafka.js';

const TASK = { topology: 'job', partition: 0 };
const PARTITIONS = 3;
const options: InternalSinkOptions = {
  ...{ topic: 'job.by-key', schema: json as Schema<unknown>, partitions: PARTITIONS, idleTimeout: undefined },
  key: (value) => `k${(value as { n: number }).n % 5}`,
};
const sink: Sink<unknown> = { connector: INTERNAL, kind: 'repartition', settings: {}, options };
const mark: WatermarkMarker = { task: 0, tasks: 1, watermarkMs: 1.25, idle: false };

let brokers: ReturnType<typeof memoryKafka>;
let kafka: Kafka;
beforeEach(async () => {
  brokers = memoryKafka();
  kafka = await brokers.connect({ releaseEvery: seconds(30) });
  await kafka.internal.sink.setUp?.(sink, { topology: 'job', step: 'by-key', partitions: 7 });
});
afterEach(async () => {
  await kafka.close();
  vi.restoreAllMocks();
});

const open = (partition: number, bounded = true) =>
  kafka.internal.source.open(
    { ...source(options.topic), connector: INTERNAL },
    { task: { topology: 'reader', partition }, partition, offset: EARLIEST, bounded, step: 'in' },
  );

async function readPartition(partition: number): Promise<RawRecord[]> {
  const reader = await open(partition);
  const read: RawRecord[] = [];
  for (let ended = false; !ended; ) {
    const polled = await reader.poll(100);
    read.push(...polled.records);
    ended = polled.ended;
  }
  await reader.close();
  return read;
}

async function write(times: readonly number[]): Promise<void> {
  const ledger = await kafka.openLedger(TASK);
  await ledger.restore();
  const writer = await kafka.internal.sink.open(sink, { step: 'by-key', task: TASK, incarnation: 0 });
  await writer.write(
    times.map((_, n) => ({ n })),
    times.map((eventTimeMs, n) => ({ ...originAt(n), eventTimeMs })),
  );
  writer.writeMarker?.(mark);
  expect(await readPartition(0)).toEqual([]); // not before the checkpoint
  await ledger.commit({ epoch: 1, incarnation: 0, topologyHash: '', positions: {}, settledDecisions: {} }, []);
  await writer.close();
  await ledger.close();
}

describe('a topic between sub-topologies', () => {
  it('keeps its records until they are read, with the times that they have', async () => {
    const { configs, logs } = brokers.topics.get(options.topic) ?? {};
    expect(logs).toHaveLength(PARTITIONS);
    expect(Object.fromEntries(configs ?? [])).toMatchObject({
      ...{ 'cleanup.policy': 'delete', 'retention.ms': '-1', 'message.timestamp.type': 'CreateTime' },
      'max.message.bytes': String(16 * 2 ** 20),
    });
    expect(await kafka.internal.source.partitions(source(options.topic))).toBe(PARTITIONS);
    expect(await kafka.internal.sink.mismatches?.(sink)).toEqual([]);
    configs?.set('message.timestamp.type', 'LogAppendTime');
    await expect(
      kafka.internal.sink.setUp?.(sink, { topology: 'job', step: 'by-key', partitions: 7 }),
    ).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('message.timestamp.type LogAppendTime'),
    });
  });

  it('shows values with their event times in the partition of their key, and markers behind them in every partition', async () => {
    const times = [0, 1.25, 1_700_000_000_000, -5, Date.now() + 10 * 86_400_000, 8.64e15];
    await write(times);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const records = await readPartition(partition);
      expect(markerOf(records.at(-1) as RawRecord)).toEqual(mark);
      const found = records.slice(0, -1).map((each) => [text(each.key), text(each.value), internalEventTime(each)]);
      const expected = times.flatMap((timeMs, n) =>
        partitionOf(Buffer.from(`k${n % 5}`), PARTITIONS) === partition ? [[`k${n % 5}`, `{"n":${n}}`, timeMs]] : [],
      );
      expect(found).toEqual(expected);
    }
  });

  it('loses what was read and is in a checkpoint, no more often than it is told to', async () => {
    // Whole, so that sums and differences are exact.
    const nowMs = Math.floor(performance.now());
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowMs);
    await write([1, 2, 3, 4, 5, 6]);
    const partition = partitionOf(Buffer.from('k0'), PARTITIONS);
    const starts = async () => (await kafka.offsetsAt(options.topic, 'earliest'))[partition];
    const reader = await open(partition, false);
    const release = async (afterMs: number, offset: number) => {
      clock.mockImplementation(() => nowMs + afterMs);
      reader.release?.(offset);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return starts();
    };
    expect(await release(29_999, 1)).toBe(0); // it has just been opened
    expect(await release(30_000, 0)).toBe(0); // nothing was read
    expect(await release(30_000, 1)).toBe(1);
    expect(await release(59_999, 2)).toBe(1);
    expect(await release(60_000, 2)).toBe(2);
    await reader.close();
  });

  it('that cannot be cut grows, so reading fails; but a broker that is away may come back', async () => {
    await kafka.close();
    kafka = await brokers.connect({ releaseEvery: seconds(0) });
    await write([1, 2, 3]);
    const reader = await open(0, false);
    const release = async () => {
      reader.release?.(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    for (const error of [
      new NetworkError('gone'),
      ...['NOT_LEADER_OR_FOLLOWER', 'COORDINATOR_LOAD_IN_PROGRESS'].map((name) => new ProtocolError(name)),
    ]) {
      brokers.fail(deleteRecordsV2.api, error);
      await release();
    }
    brokers.fail(deleteRecordsV2.api, new ProtocolError('TOPIC_AUTHORIZATION_FAILED'));
    await release();
    expect(() => reader.release?.(1)).toThrow(
      expect.objectContaining({
        code: 'source',
        where: `${options.topic}/0`,
        hint: expect.stringContaining('allow this user'),
      }),
    );
    await reader.close();
  });
});
