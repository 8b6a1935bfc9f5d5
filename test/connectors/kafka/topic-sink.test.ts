import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KafkaSinkOptions, kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { code } from '../../../connectors/kafka/protocol/broker-error.js';
import type { Origin } from '../../../src/core/record.js';
import type { Sink } from '../../../src/core/sink.js';
import { originAt } from '../../../src/testing/contract.js';
import { json, readAll } from '../../integration/kafka/world.js';
import { text } from './batches.js';
import { memoryKafka } from './memory-kafka.js';

const TASK = { topology: 'job', partition: 1 };
let brokers: ReturnType<typeof memoryKafka>;
let kafka: Kafka;
let warnings: string[];
beforeEach(async () => {
  brokers = memoryKafka();
  warnings = [];
  kafka = await brokers.connect({ onWarning: (message) => warnings.push(message) });
});
afterEach(async () => {
  await kafka.close();
  vi.restoreAllMocks();
});

type Row = { readonly n: number };
const sinkOf = (options: Partial<KafkaSinkOptions<Row>> = {}) =>
  specs.sink<Row>({ topic: 'out', schema: json, ...options }) as Sink<unknown>;
const letters = (options = {}) => specs.deadLetterSink({ topic: 'dead', ...options }) as Sink<unknown>;
const setUp = async (sink: Sink<unknown>, inputs?: readonly string[]) =>
  kafka.topicSink.setUp?.(sink, { topology: 'job', step: 'out', partitions: 3, ...(inputs ? { inputs } : {}) });
const mismatches = async (sink: Sink<unknown>) => kafka.topicSink.mismatches?.(sink);

describe('a declared topic', () => {
  const configs = { 'retention.ms': 86_400_000, 'cleanup.policy': 'compact,delete' };

  it('is created as it is declared, or with the partitions of the inputs', async () => {
    const declared = sinkOf({ partitions: 5, replication: 1, configs, onMismatch: 'fail' });
    expect(await mismatches(declared)).toEqual([]);
    for (let n = 0; n < 2; n++) await setUp(declared);
    expect(brokers.topics.get('out')).toMatchObject({ replication: 1, logs: { length: 5 } });
    expect(Object.fromEntries(brokers.topics.get('out')?.configs ?? [])).toMatchObject({
      ...{ 'retention.ms': '86400000', 'cleanup.policy': 'compact,delete' },
    });
    expect(await mismatches(declared)).toEqual([]);
    await setUp(sinkOf({ topic: 'plain' }));
    expect(brokers.topics.get('plain')).toMatchObject({ replication: 2, logs: { length: 3 } });
    expect(brokers.topics.has('millrace.job.changelog')).toBe(true);
    expect(warnings).toEqual([]);
  });

  it('that was changed is told of, or refused, or let be; never changed', async () => {
    await setUp(sinkOf({ configs }));
    const actual = brokers.topics.get('out')?.configs;
    actual?.set('retention.ms', '1000');
    await setUp(sinkOf({ configs, replication: 3 }));
    expect(warnings).toEqual([
      "topic 'out': replication is 2, declared is 3",
      "topic 'out': retention.ms is 1000, declared is 86400000",
    ]);
    await expect(setUp(sinkOf({ configs, onMismatch: 'fail', partitions: 4 }))).rejects.toMatchObject({
      ...{ code: 'config', where: 'out', permanent: true },
      message: "topic 'out' has 3 partitions, not 4; retention.ms 1000, not 86400000",
      hint: expect.stringContaining('keys would move'),
    });
    await setUp(sinkOf({ configs, onMismatch: 'ignore' }));
    await setUp(sinkOf());
    expect([warnings.length, actual?.get('retention.ms')]).toEqual([2, '1000']);
  });

  it('that is missing and may not be created is refused', async () => {
    const declared = sinkOf({ create: false });
    expect(await mismatches(declared)).toMatchObject([{ setting: 'topic', actual: 'missing', refused: true }]);
    await expect(setUp(declared)).rejects.toMatchObject({ code: 'config', where: 'out', permanent: true });
    expect(brokers.topics.has('out')).toBe(false);
    await kafka.createTopic('out', 2);
    await setUp(declared);
    expect(await mismatches(declared)).toEqual([]);
  });
});

describe('dead letters', () => {
  it('have a topic that takes larger records than others', async () => {
    await setUp(letters());
    expect(brokers.topics.get('dead')?.configs.get('max.message.bytes')).toBe(String(16 * 2 ** 20));
    await setUp(sinkOf());
    expect(brokers.topics.get('out')?.configs.get('max.message.bytes')).toBe('1048588');
  });

  it('that may be cut are told of, by input', async () => {
    await kafka.createTopic('small', 1, { 'max.message.bytes': '1000' });
    await kafka.createTopic('same', 1, { 'max.message.bytes': '2000' });
    await kafka.createTopic('large', 1, { 'max.message.bytes': '2001' });
    await setUp(letters({ configs: { 'max.message.bytes': 2_000 } }), ['small', 'same', 'large', 'large']);
    expect(warnings).toEqual([
      expect.stringMatching(
        /^dead letters of 'large' may be cut.* records of 2,001 bytes, the dead-letter topic 'dead' of 2,000 bytes.*max\.message\.bytes=67537'$/,
      ),
    ]);
  });

  it('that must be encrypted need a key, before anything runs', async () => {
    await expect(setUp(letters({ raw: 'encrypt' }))).rejects.toMatchObject({ code: 'config', where: 'dead' });
    const keyed = await brokers.connect({ letterKey: Buffer.alloc(32, 1) });
    await keyed.topicSink.setUp?.(letters({ raw: 'encrypt' }), { topology: 'job', step: 'out', partitions: 3 });
    await keyed.close();
  });
});

describe('a record', () => {
  /** What is in the topic, of which each record has the key, the partition, the time and the headers that it was given. */
  async function written(spec: Sink<unknown>, values: readonly unknown[], origins: readonly Origin[]) {
    await setUp(spec);
    const ledger = await kafka.openLedger(TASK);
    await ledger.restore();
    const writer = await kafka.topicSink.open(spec, { step: 'out', task: TASK, incarnation: 0 });
    await writer.write(values, origins);
    await ledger.commit({ epoch: 1, incarnation: 0, topologyHash: '', positions: {}, settledDecisions: {} }, []);
    await writer.close();
    await ledger.close();
    const partitions = await Promise.all([0, 1, 2].map((partition) => readAll(kafka, 'out', partition)));
    return partitions.flatMap((records, partition) =>
      records.map(({ key, value, timestampMs, headers = [] }) => ({
        ...{ partition, key: text(key), value: text(value), timestampMs },
        headers: headers.map(([name]) => name),
      })),
    );
  }
  const origin = (more: Partial<Origin>): Origin => ({ ...originAt(5, 1), key: null, ...more });

  it('goes by its key, or to the partition of its origin: a replay appends to the same', async () => {
    const found = await written(
      sinkOf(),
      [{ n: 1 }, { n: 2 }, { n: 3 }],
      [origin({ partition: 1 }), origin({ partition: 5 }), origin({ partition: 0, key: Buffer.from('k') })],
    );
    const byValue = Object.fromEntries(found.map((each) => [each.value, [each.key, each.partition]]));
    expect(byValue).toMatchObject({ '{"n":1}': [null, 1], '{"n":2}': [null, 2], '{"n":3}': ['k', expect.any(Number)] });
    const keyed = await written(
      sinkOf({ key: () => 'k' }),
      [{ n: 4 }],
      [origin({ partition: 1, key: Buffer.from('other') })],
    );
    expect(keyed.find(({ value }) => value === '{"n":4}')).toMatchObject({
      key: 'k',
      partition: byValue['{"n":3}']?.[1],
    });
  });

  it('has its event time, no later than the clock and no earlier than 1970', async () => {
    const nowMs = 1_700_000_000_000;
    vi.spyOn(Date, 'now').mockImplementation(() => nowMs);
    const times = [1_000.75, nowMs - 1, nowMs + 1, -5, Number.NaN];
    const found = await written(
      sinkOf(),
      times.map((_, n) => ({ n })),
      times.map((eventTimeMs) => origin({ eventTimeMs })),
    );
    expect(found.map(({ timestampMs }) => timestampMs)).toEqual([1_000, nowMs - 1, nowMs, 0, 0]);
  });

  it('of an upsert has the key of the change, and is a tombstone where nothing is left', async () => {
    const upsert = specs.upsertSink<Row>({ topic: 'out', schema: json }) as Sink<unknown>;
    const changes = [
      { key: 'a', before: undefined, after: { n: 1 } },
      { key: 'a', before: { n: 1 }, after: null },
    ];
    const found = await written(upsert, changes, [origin({}), origin({})]);
    expect(found.map(({ key, value }) => [key, value])).toEqual([
      ['a', '{"n":1}'],
      ['a', null],
    ]);
    expect(brokers.topics.get('out')?.configs.get('cleanup.policy')).toBe('compact');
  });

  it('needs a task whose ledger is on this cluster', async () => {
    await setUp(sinkOf());
    await expect(kafka.topicSink.open(sinkOf(), { step: 'out', task: TASK, incarnation: 0 })).rejects.toMatchObject({
      code: 'config',
      where: 'out',
      message: "task 1 of 'job' has no ledger on this cluster",
    });
  });

  it('needs a topic that this user may see', async () => {
    await setUp(sinkOf());
    brokers.unseen.set('out', code.topicAuthorizationFailed);
    const failure = { where: 'out', permanent: true };
    await expect(kafka.topicSink.mismatches?.(sinkOf())).rejects.toMatchObject(failure);
    await expect(setUp(sinkOf())).rejects.toMatchObject(failure);
  });

  it('needs its topic when a task opens', async () => {
    const ledger = await kafka.openLedger(TASK);
    await ledger.restore();
    await expect(kafka.topicSink.open(sinkOf(), { step: 'out', task: TASK, incarnation: 0 })).rejects.toMatchObject({
      code: 'source',
      where: 'out',
    });
  });
});
