import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import {
  EARLIEST,
  INTERNAL,
  type InternalSinkOptions,
  internalEventTime,
  markerOf,
  millis,
  type Origin,
  partitionOf,
  type RawRecord,
  type Schema,
  type Sink,
  type WatermarkMarker,
} from '../../../src/core/index.js';
import { fresh, json, open, settled, source } from './world.js';

let kafka: Kafka;
const topic = fresh('internal');
const task = { topology: fresh('subtopology'), partition: 0 };
const PARTITIONS = 3;

beforeAll(async () => {
  kafka = await open({ releaseEvery: millis(50) });
});
afterAll(async () => {
  await kafka.deleteTopic(topic);
  await kafka.close();
});

const options: InternalSinkOptions = {
  topic,
  schema: json as Schema<unknown>,
  key: (value) => `k${(value as { n: number }).n % 5}`,
  partitions: PARTITIONS,
  idleTimeout: undefined,
};
const sink: Sink<unknown> = { connector: INTERNAL, kind: 'repartition', settings: { topic }, options };
const originAt = (eventTimeMs: number) => ({ topic: 'in', partition: 0, offset: 0, eventTimeMs }) as Origin;
const times = [0, 1.25, 1_700_000_000_000, -5, Date.now() + 10 * 86_400_000, 8.64e15];
const mark: WatermarkMarker = { task: 0, tasks: 1, watermarkMs: 1.25, idle: false };
const checkpoint = (epoch: number) => ({
  epoch,
  incarnation: 0,
  topologyHash: '',
  positions: {},
  settledDecisions: {},
});

async function readPartition(partition: number, offset = EARLIEST, from = topic): Promise<RawRecord[]> {
  const reader = await kafka.internal.source.open(
    { ...source(from), connector: INTERNAL },
    { task: { topology: 'reader', partition }, partition, offset, bounded: true, step: 'in' },
  );
  const read: RawRecord[] = [];
  for (let ended = false; !ended; ) {
    const polled = await reader.poll(100);
    read.push(...polled.records);
    ended = polled.ended;
  }
  await reader.close();
  return read;
}

describe('a topic between sub-topologies', () => {
  it('shows values with their event times, and marks behind them in every partition, once the checkpoint is stored', async () => {
    await kafka.internal.sink.setUp?.(sink, { topology: task.topology, step: 'by-key', partitions: 7 });
    expect(await kafka.internal.source.partitions(source(topic))).toBe(PARTITIONS);
    const ledger = await kafka.openLedger(task);
    await ledger.restore();
    const writer = await kafka.internal.sink.open(sink, { step: 'by-key', task, incarnation: 0 });
    const values = times.map((_, n) => ({ n }));
    await writer.write(values, times.map(originAt));
    writer.writeMarker?.(mark);
    expect((await readPartition(0)).length).toBe(0);
    await ledger.commit(checkpoint(1), []);
    await settled('millrace');
    await writer.close();
    await ledger.close();

    for (let partition = 0; partition < PARTITIONS; partition++) {
      const records = await readPartition(partition);
      expect(records.map(markerOf).map((each) => each !== undefined)).toEqual([
        ...records.slice(1).map(() => false),
        true,
      ]);
      expect(markerOf(records.at(-1) as RawRecord)).toEqual(mark);
      const expected = times.flatMap((timeMs, n) =>
        partitionOf(Buffer.from(`k${n % 5}`), PARTITIONS) === partition ? [{ n, timeMs, key: `k${n % 5}` }] : [],
      );
      expect(
        records.slice(0, -1).map((record) => ({
          ...(JSON.parse(Buffer.from(record.value ?? []).toString()) as { n: number }),
          timeMs: internalEventTime(record),
          key: Buffer.from(record.key ?? []).toString(),
        })),
      ).toEqual(expected);
    }
  });

  it('takes values and marks of a process whose clock is a day ahead', async () => {
    const own = { ...task, topology: fresh('clock-ahead') };
    const to = { ...options, topic: fresh('clock-ahead') };
    const ahead: Sink<unknown> = { ...sink, options: to };
    await kafka.internal.sink.setUp?.(ahead, { topology: own.topology, step: 'by-key', partitions: 1 });
    const ledger = await kafka.openLedger(own);
    await ledger.restore();
    const now = Date.now;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + 26 * 3_600_000);
    const times = [now() - 1_000, now() + 10 * 86_400_000];
    try {
      const writer = await kafka.internal.sink.open(ahead, { step: 'by-key', task: own, incarnation: 0 });
      await writer.write([{ n: 1 }, { n: 1 }], times.map(originAt));
      writer.writeMarker?.(mark);
      await ledger.commit(checkpoint(1), []);
      await settled('millrace');
      await writer.close();
    } finally {
      clock.mockRestore();
      await ledger.close();
    }
    const records = await readPartition(partitionOf(Buffer.from('k1'), PARTITIONS), EARLIEST, to.topic);
    expect(records.slice(0, -1).map(internalEventTime)).toEqual(times);
    expect(markerOf(records.at(-1) as RawRecord)).toEqual(mark);
    await kafka.deleteTopic(to.topic);
  });

  it('loses what was read and is in a checkpoint, and nothing else', async () => {
    const partition = partitionOf(Buffer.from('k0'), PARTITIONS);
    const before = await readPartition(partition);
    expect(before.length).toBeGreaterThan(1);
    const second = before[1] as RawRecord;
    const reader = await kafka.internal.source.open(
      { ...source(topic), connector: INTERNAL },
      { task: { topology: 'reader', partition }, partition, offset: EARLIEST, bounded: false, step: 'in' },
    );
    await reader.poll(100);
    reader.release?.(second.offset); // too early: it has just been opened
    await sleep(60);
    reader.release?.(second.offset);
    await reader.close();
    expect((await kafka.offsetsAt(topic, 'earliest'))[partition]).toBe(second.offset);
    expect((await readPartition(partition)).map(({ offset }) => offset)).toEqual(
      before.slice(1).map(({ offset }) => offset),
    );
  });
});
