import { ProtocolError } from '@platformatic/kafka';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Kafka, KafkaOptions } from '../../../connectors/kafka/open.js';
import { fetchApi } from '../../../connectors/kafka/protocol/fetch.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import { millis } from '../../../src/core/duration.js';
import type { SourceReader } from '../../../src/core/source.js';
import { source } from '../../integration/kafka/world.js';
import { record, text } from './batches.js';
import { memoryKafka } from './memory-kafka.js';

const TASK = { topology: 'job', partition: 0 };
let brokers: ReturnType<typeof memoryKafka>;
let kafka: Kafka;
let warnings: string[];

async function connect(options: Partial<KafkaOptions> = {}) {
  kafka = await brokers.connect({ onWarning: (message) => warnings.push(message), ...options });
}
beforeEach(async () => {
  brokers = memoryKafka();
  warnings = [];
  await connect();
  await kafka.createTopic('in', 1);
});
afterEach(async () => {
  await kafka.close();
  vi.restoreAllMocks();
});

const append = (...values: readonly string[]) =>
  kafka.producer().append(
    'in',
    0,
    values.map((value) => record(value)),
  );
const log = () => brokers.topics.get('in')?.logs[0];
/** A transaction of another program that has written into the partition and is open. */
async function hold(...values: readonly string[]) {
  const { end = 0 } = log() ?? {};
  await append(...values);
  log()?.open.set(77n, { epoch: 0, firstOffset: end });
}

function open(
  options: {
    readonly offset?: number;
    readonly bounded?: boolean;
    readonly sourceState?: unknown;
    readonly onDataLoss?: 'earliest' | 'latest';
  } = {},
): Promise<SourceReader> {
  const { offset = EARLIEST, bounded = true, sourceState, onDataLoss } = options;
  const from = { ...source('in'), onDataLoss };
  return kafka.source.open(from, { task: TASK, partition: 0, offset, bounded, step: 'read', sourceState });
}

async function rest(reader: SourceReader, recordsMax = 1_000) {
  const values: (string | null)[] = [];
  for (;;) {
    const { records, ended } = await reader.poll(recordsMax);
    values.push(...records.map(({ value }) => text(value)));
    if (ended) return values;
  }
}

describe('a reader', () => {
  it('that is bounded ends where the log ended when it was opened, also within a batch', async () => {
    await append('a', 'b');
    const reader = await open();
    await append('c');
    expect(await rest(reader)).toEqual(['a', 'b']);
    await append('d', 'e', 'f');
    const second = await open({ offset: 3 });
    expect(await rest(second, 2)).toEqual(['d', 'e', 'f']);
    for (const each of [reader, second]) await each.close();
    expect(await rest(await open({ offset: 6 }))).toEqual([]);
  });

  it('cuts a batch at the end that it was opened with', async () => {
    await append('a', 'b', 'c', 'd');
    const reader = await open();
    // A broker that took the batch over may know a smaller end for a while.
    const end = vi.spyOn(log() as NonNullable<ReturnType<typeof log>>, 'stable', 'get').mockReturnValue(2);
    const early = await open();
    end.mockRestore();
    expect(await rest(early)).toEqual(['a', 'b']);
    expect(await rest(reader)).toEqual(['a', 'b', 'c', 'd']);
    for (const each of [reader, early]) await each.close();
  });

  it('that is not bounded goes on, and is behind until a broker has nothing more', async () => {
    await append('a', 'b');
    const reader = await open({ bounded: false });
    expect([reader.isBehind, reader.logEnd]).toEqual([true, undefined]);
    expect((await reader.poll(1)).records.map(({ offset }) => offset)).toEqual([0]);
    expect([reader.isBehind, reader.logEnd]).toEqual([true, 2]);
    expect((await reader.poll(1)).records.map(({ offset }) => offset)).toEqual([1]);
    expect(reader.isBehind).toBe(false);
    expect(await reader.poll(1)).toEqual({ records: [], ended: false });
    await append('c');
    await vi.waitFor(async () => expect((await reader.poll(1)).records).toHaveLength(1));
    expect(reader.isBehind).toBe(false); // of what it was opened with it has all
    await reader.close();
    expect(await reader.poll(1)).toEqual({ records: [], ended: true });
  });

  it('is not behind for ever where compaction has removed the last records', async () => {
    await append('a', 'b');
    const reader = await open({ offset: 2, bounded: false });
    expect(reader.isBehind).toBe(false);
    await reader.close();
    const before = await open({ offset: 1, bounded: false });
    vi.spyOn(log() as NonNullable<ReturnType<typeof log>>, 'read').mockReturnValue({
      aborted: [],
      bytes: Buffer.alloc(0),
    });
    expect(before.isBehind).toBe(true);
    await before.poll(1);
    expect(before.isBehind).toBe(false);
    await before.close();
  });

  it('ends quietly where it is closed while it waits', async () => {
    const reader = await open({ bounded: false });
    brokers.fail(fetchApi, new ProtocolError('TOPIC_AUTHORIZATION_FAILED'));
    const polled = reader.poll(1);
    await reader.close();
    expect(await polled).toEqual({ records: [], ended: true });
    const other = await open({ bounded: false });
    brokers.fail(fetchApi, new ProtocolError('TOPIC_AUTHORIZATION_FAILED'));
    await expect(other.poll(1)).rejects.toMatchObject({ code: 'source', where: 'in/0' });
    await other.close();
  });

  it('says how many records were deleted before they were read, and passes them over where it may', async () => {
    await append('a', 'b', 'c');
    log()?.deleteBefore(1);
    await expect(open({ offset: 0 })).rejects.toMatchObject({
      ...{ code: 'source', permanent: true, message: 'offset 0 of in/0 is gone: the log holds 1 to 3' },
      hint: expect.stringContaining('1 record was deleted before they were read'),
    });
    const reader = await open({ offset: 0, onDataLoss: 'earliest', bounded: false });
    expect(await reader.poll(1)).toMatchObject({ skipped: 1, records: [{ offset: 1 }] });
    expect(await reader.poll(1)).not.toHaveProperty('skipped');
    log()?.deleteBefore(3);
    const latest = await open({ offset: 1, onDataLoss: 'latest' });
    expect(latest.isBehind).toBe(false);
    await latest.close();
    await reader.close();
    expect(warnings).toEqual(["source 'read': 1 record of in/0 is gone; reading continues at 3"]);
  });

  it('keeps the epoch of the leader that wrote the record before', async () => {
    await append('a', 'b');
    const reader = await open();
    expect(reader.sourceStateOf?.(0)).toBeUndefined();
    await rest(reader);
    expect(reader.sourceStateOf?.(1)).toEqual({ leaderEpoch: 0 });
    await reader.close();
    const again = await open({ offset: 1, sourceState: { leaderEpoch: 0 } });
    expect(again.sourceStateOf?.(1)).toEqual({ leaderEpoch: 0 });
    await again.close();
  });

  it('needs a topic, whose partitions it counts', async () => {
    expect(kafka.source.partitionsGrow).toBe(true);
    expect(await kafka.source.partitions(source('in'))).toBe(1);
    await expect(kafka.source.partitions(source('missing'))).rejects.toMatchObject({
      ...{ code: 'source', where: 'missing', permanent: true },
    });
  });
});

describe('an open transaction in an input', () => {
  const held = "source 'read' reads in/0 to the last stable offset 1 only, 2 entries before its end";

  it('is told of where a bounded read ends before it', async () => {
    await append('a');
    await hold('b', 'c');
    const reader = await open();
    expect(warnings).toEqual([expect.stringContaining(`${held}: the open transaction of producer id 77`)]);
    expect(warnings[0]).toContain('--bootstrap-server one:9092');
    expect(await rest(reader)).toEqual(['a']);
    await reader.close();
  });

  it('is not told of a bounded read before it is old enough', async () => {
    await append('a');
    const other = await brokers.connect({ prefix: 'other' });
    await (await other.openLedger(TASK)).restore();
    const transaction = brokers.transactions.get('other.job.0');
    await hold('b', 'c');
    log()?.open.clear();
    log()?.open.set(transaction?.producerId ?? 0n, { epoch: 0, firstOffset: 1 });
    const nowMs = Date.now();
    vi.spyOn(Date, 'now').mockImplementation(() => nowMs);
    for (const [ageMs, told] of [
      [59_999, 0],
      [60_000, 1],
    ] as const) {
      if (transaction) Object.assign(transaction, { state: 'Ongoing', startedMs: nowMs - ageMs });
      await (await open()).close();
      expect(warnings).toHaveLength(told);
    }
    await other.close();
  });

  it('is told of once where it holds a stream for long', async () => {
    await connect({ openTransactionWarnAfter: millis(30) });
    await append('a');
    await hold('b', 'c');
    const reader = await open({ bounded: false });
    await vi.waitFor(async () => {
      await reader.poll(10);
      expect(warnings).toEqual([expect.stringContaining(`${held}: `)]);
    }, 5_000);
    for (let n = 0; n < 5; n++) await reader.poll(10);
    expect(warnings).toHaveLength(1);
    await reader.close();
  });
});
