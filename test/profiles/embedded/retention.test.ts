import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import { appendTo } from '../../../src/profiles/embedded/producer.js';
import { LogCleaner, retentionOf } from '../../../src/profiles/embedded/retention.js';
import { Store } from '../../../src/profiles/embedded/store.js';
import { TopicLog } from '../../../src/profiles/embedded/topic-log.js';
import { openWorld, sourceOf, topicSinkOf, type World } from './world.js';

const task = { topology: 'kept', partition: 0 };
const record = (n: number, timestampMs = n) => ({ key: null, value: Buffer.alloc(1_000, n), timestampMs });
const records = (from: number, count: number) => Array.from({ length: count }, (_, i) => record(from + i));

let world: World;
let nowMs = 0;
beforeEach(async () => {
  nowMs = 0;
  world = await openWorld({ now: () => nowMs });
  await world.embedded.producer().createTopic('t', 1);
});
afterEach(() => world.close());

const earliest = async () => (await world.embedded.offsetsAt('t', 'earliest'))[0] as number;
const declare = (configs: Readonly<Record<string, number | string>>) =>
  world.embedded.topicSink.setUp?.(topicSinkOf('t', { configs }), { topology: 'kept', step: 'out', partitions: 1 });
/** Opens a task, which begins the cleaning, and waits for what it leaves. */
const cleaned = async (offset: number) => {
  await world.embedded.openLedger(task);
  while ((await earliest()) !== offset) await sleep(10);
};
/** Ten blobs of some ten records each; each of another batch. */
const fill = async () => {
  for (let batch = 0; batch < 10; batch++) await world.embedded.append('t', 0, records(batch * 10, 10));
};

describe('retention of the embedded log', () => {
  it('keeps everything where nothing is declared, or -1', async () => {
    await fill();
    await declare({ 'retention.ms': -1 });
    nowMs = 1e15;
    await world.embedded.openLedger(task);
    await sleep(100);
    expect([await earliest(), [...world.embedded.scan('t', 0)].length]).toEqual([0, 100]);
  });

  it('deletes blobs of which every record is too old, but the newest one; also after a restart', async () => {
    await fill();
    await declare({ 'retention.ms': 50 });
    nowMs = 79 + 50; // what is at 78 or before is too old: 79 keeps its blob
    await cleaned(70);
    expect([...world.embedded.scan('t', 0)].map(({ offset }) => offset)).toEqual(
      records(70, 30).map(({ timestampMs }) => timestampMs),
    );
    await world.restart({ now: () => 1e15 });
    expect(await earliest()).toBe(70);
    await cleaned(90); // the retention is stored with the topic
    await world.embedded.append('t', 0, records(100, 1));
    expect([await world.embedded.endOffsets('t'), await earliest()]).toEqual([[101], 90]);
    await world.restart();
    expect([await world.embedded.endOffsets('t'), await earliest()]).toEqual([[101], 90]);
    expect(await world.embedded.offsetsAt('t', { timestampMs: 5 })).toEqual([90]);
  });

  it('keeps at least as many bytes of a partition as are declared, and less than a blob more', async () => {
    await fill();
    await declare({ 'retention.bytes': '30000' });
    await cleaned(70);
  });

  it('reads on where onDataLoss says, and otherwise tells that records are gone', async () => {
    await fill();
    const open = (offset: number, onDataLoss?: 'earliest' | 'latest') =>
      world.embedded.source.open(
        { ...sourceOf('t'), onDataLoss },
        { task, partition: 0, offset, bounded: true, step: 'in' },
      );
    const early = await open(5);
    expect((await early.poll(3)).records.map(({ offset }) => offset)).toEqual([5, 6, 7]);
    await declare({ 'retention.ms': 50 });
    nowMs = 79 + 50;
    await cleaned(70);
    expect((await early.poll(5)).records.map(({ offset }) => offset)).toEqual([8, 9]); // of a blob that it has
    await expect(early.poll(5)).rejects.toMatchObject({
      code: 'source',
      permanent: true,
      message: 'offset 10 of t/0 is gone: 60 records were deleted unread',
    });
    await expect(open(5)).rejects.toMatchObject({ code: 'source', permanent: true });
    const [first, last, start] = [await open(5, 'earliest'), await open(5, 'latest'), await open(EARLIEST)];
    expect(await first.poll(1)).toMatchObject({ records: [{ offset: 70 }], skipped: 65, ended: false });
    expect(await first.poll(1)).not.toHaveProperty('skipped');
    expect(await last.poll(1)).toMatchObject({ records: [], skipped: 95, ended: true });
    expect(await start.poll(1)).toMatchObject({ records: [{ offset: 70 }], ended: false });
  });

  it('reads Kafka\u2019s configs', () => {
    expect(retentionOf('t', { 'retention.ms': 5, 'retention.bytes': '7' })).toEqual({ ms: 5, bytes: 7 });
    expect(retentionOf('t', { 'retention.ms': -1 })).toEqual({});
    expect(retentionOf('t', { 'cleanup.policy': 'compact', 'retention.ms': 5 })).toBeUndefined();
    expect(retentionOf('t', { 'cleanup.policy': 'compact,delete', 'retention.ms': 5 })).toEqual({ ms: 5 });
    expect(retentionOf('t', { 'min.insync.replicas': 2 })).toBeUndefined();
    expect(() => retentionOf('t', { 'retention.ms': 'soon' })).toThrowError('retention.ms of t is soon');
  });

  it('deletes a bounded number of blobs in a step', async () => {
    await world.embedded.close();
    const store = Store.open(world.path, {});
    const log = new TopicLog(store);
    const small = { key: null, value: Buffer.alloc(1), timestampMs: 0 };
    await appendTo({ store, log }, 't', 0, Array<typeof small>(150_000).fill(small)); // 1,000 are a blob
    await log.retain('t', { ms: 0 });
    const cleaner = new LogCleaner(store, log, () => 1);
    const steps: [boolean, number][] = [];
    for (let step = 0; step < 3; step++) steps.push([await cleaner.step(), log.startOffset('t', 0)]);
    expect(steps).toEqual([
      [true, 64_000],
      [true, 128_000],
      [false, 149_000],
    ]);
    await store.close();
    await world.restart();
  });
});
