import { Producer as PlatformaticProducer } from '@platformatic/kafka';
import { CompressionTypes } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { EARLIEST } from '../../../src/core/checkpoint.js';
import type { RawRecord } from '../../../src/core/record.js';
import { broker, deleteBefore, foreignProducer, fresh, librdkafka, open, readAll, settled, source } from './world.js';

let kafka: Kafka;
const topics: string[] = [];

beforeAll(async () => {
  kafka = await open();
});
afterAll(async () => {
  for (const topic of topics) await kafka.deleteTopic(topic);
  await kafka.close();
});

async function newTopic(name: string, settings = {}): Promise<string> {
  const topic = fresh(name);
  topics.push(topic);
  await kafka.createTopic(topic, 1, settings);
  return topic;
}

const valuesOf = (records: readonly RawRecord[]) => records.map(({ value }) => Buffer.from(value ?? []).toString());
const numbered = Array.from({ length: 3_000 }, (_, i) => `value ${i} ${'abc'.repeat(i % 50)}`);

it('counts partitions that are added while it reads', async () => {
  const topic = await newTopic('growing');
  expect([kafka.source.partitionsGrow, await kafka.source.partitions(source(topic))]).toEqual([true, 1]);
  await librdkafka(
    `
from confluent_kafka.admin import AdminClient, NewPartitions
admin = AdminClient({'bootstrap.servers': broker})
for future in admin.create_partitions([NewPartitions(args[0], 3)]).values(): future.result()
print(1)`,
    topic,
  );
  const giveUpMs = Date.now() + 20_000;
  while ((await kafka.source.partitions(source(topic))) < 3) expect(Date.now()).toBeLessThan(giveUpMs);
});

describe('compressed batches', () => {
  it.each(['gzip', 'snappy', 'lz4', 'zstd', 'none'])('of librdkafka, %s', async (codec) => {
    const topic = await newTopic(`rdkafka-${codec}`);
    await librdkafka(
      `
producer = Producer({'bootstrap.servers': broker, 'compression.type': args[1], 'linger.ms': 50})
for i in range(3000): producer.produce(args[0], value='value %d %s' % (i, 'abc' * (i % 50)), key=str(i), headers={'n': str(i)}, on_delivery=fail)
producer.flush()
print(1)`,
      topic,
      codec,
    );
    const records = await readAll(kafka, topic);
    expect(valuesOf(records)).toEqual(numbered);
    expect(Buffer.from(records[2_999]?.key ?? []).toString()).toBe('2999');
    expect(records[2_999]?.headers?.map(([name, value]) => [name, Buffer.from(value).toString()])).toEqual([
      ['n', '2999'],
    ]);
  });

  it('of kafkajs, gzip', async () => {
    const topic = await newTopic('kafkajs-gzip');
    const producer = await foreignProducer();
    await producer.send({ topic, compression: CompressionTypes.GZIP, messages: numbered.map((value) => ({ value })) });
    await producer.disconnect();
    expect(valuesOf(await readAll(kafka, topic))).toEqual(numbered);
  });

  it.each(['gzip', 'snappy', 'lz4'] as const)('of @platformatic/kafka, %s', async (compression) => {
    const topic = await newTopic(`platformatic-${compression}`);
    const producer = new PlatformaticProducer({ clientId: 'test', bootstrapBrokers: [broker()] });
    await producer.send({
      messages: numbered.map((value) => ({ topic, partition: 0, value: Buffer.from(value) })),
      compression,
    });
    await producer.close();
    expect(valuesOf(await readAll(kafka, topic))).toEqual(numbered);
  });

  it('of the broker itself, in blocks of xerial snappy', async () => {
    const topic = await newTopic('broker-snappy', { 'compression.type': 'snappy' });
    const producer = await foreignProducer();
    await producer.send({ topic, messages: numbered.map((value) => ({ value })) });
    await producer.disconnect();
    expect(valuesOf(await readAll(kafka, topic))).toEqual(numbered);
  });
});

async function settledRead(topic: string, offset = EARLIEST): Promise<RawRecord[]> {
  await settled(topic); // transactional ids begin with the topic
  return readAll(kafka, topic, 0, offset);
}

describe('aborted transactions', () => {
  const transactions = async (topic: string, name: string) => {
    const producer = await foreignProducer(`${topic}-${name}`);
    const send = (begun: Awaited<ReturnType<typeof producer.transaction>>, value: string, key?: string) =>
      begun.send({ topic, messages: [{ partition: 0, value, ...(key === undefined ? {} : { key }) }] });
    const whole = async (values: readonly string[], end: 'commit' | 'abort') => {
      const begun = await producer.transaction();
      for (const value of values) await send(begun, value);
      await begun[end]();
    };
    return { producer, send, whole };
  };

  it('are not seen: two by one producer, then a committed one', async () => {
    const topic = await newTopic('two-aborts');
    const { producer, whole } = await transactions(topic, 'a');
    await whole(['aborted'], 'abort');
    await whole(['aborted'], 'abort');
    await whole(['good'], 'commit');
    await producer.disconnect();
    expect(valuesOf(await settledRead(topic))).toEqual(['good']);
  });

  it('are not seen where the marker lies beyond what one fetch brings', async () => {
    const topic = await newTopic('far-marker');
    const { producer, whole } = await transactions(topic, 'a');
    const large = 'x'.repeat(900_000);
    await whole([large, large, large, large, large], 'abort');
    await whole(['good'], 'commit');
    await producer.disconnect();
    expect(valuesOf(await settledRead(topic))).toEqual(['good']);
  });

  it('are not seen from any offset inside two that overlap', async () => {
    const topic = await newTopic('overlap');
    const a = await transactions(topic, 'a');
    const b = await transactions(topic, 'b');
    const first = await a.producer.transaction();
    const second = await b.producer.transaction();
    await a.send(first, 'aborted');
    await b.send(second, 'aborted');
    await b.send(second, 'aborted');
    await a.send(first, 'aborted', '\0\0\0\0');
    await first.abort();
    await b.send(second, 'aborted');
    await second.abort();
    await a.whole(['good'], 'commit');
    await a.producer.disconnect();
    await b.producer.disconnect();
    for (let offset = 0; offset <= 7; offset += 1) {
      expect(valuesOf(await settledRead(topic, offset)), `from ${offset}`).toEqual(['good']);
    }
  });

  it('are not seen while they are open, and stop a bounded reader where they begin', async () => {
    const topic = await newTopic('open');
    const { producer, send, whole } = await transactions(topic, 'a');
    await whole(['good'], 'commit');
    const begun = await producer.transaction();
    await send(begun, 'nondeterministic');
    expect(valuesOf(await settledRead(topic))).toEqual(['good']);
    expect(await kafka.endOffsets(topic)).toEqual([2]); // one record and its marker
    await begun.commit();
    await producer.disconnect();
    expect(valuesOf(await settledRead(topic))).toEqual(['good', 'nondeterministic']);
  });
});

describe('what is no longer there', () => {
  it('names the offsets that the log holds when a position is outside them', async () => {
    const topic = await newTopic('range');
    const producer = await foreignProducer();
    await producer.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] });
    await producer.disconnect();
    await expect(readAll(kafka, topic, 0, 7)).rejects.toMatchObject({
      code: 'source',
      message: `offset 7 of ${topic}/0 is gone: the log holds 0 to 2`,
    });
  });

  it('stops with the number of records that were deleted before they were read, and skips none in silence', async () => {
    const topic = await newTopic('deleted');
    const producer = await foreignProducer();
    const send = (values: readonly string[]) =>
      producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
    await send(['a', 'b', 'c']);
    const reader = await kafka.source.open(source(topic), {
      task: { topology: 't', partition: 0 },
      partition: 0,
      offset: 0,
      bounded: false,
      step: 'in',
    });
    expect(valuesOf((await reader.poll(10)).records)).toEqual(['a', 'b', 'c']);
    await reader.poll(10); // at the end of the log, with a fetch on its way
    await reader.close();
    await send(['d', 'e', 'f']);
    await producer.disconnect();
    await deleteBefore(topic, 0, 5);
    const gone = {
      code: 'source',
      permanent: true,
      message: `offset 3 of ${topic}/0 is gone: the log holds 5 to 6`,
      hint: expect.stringMatching(/^2 records were deleted before they were read: .*offsets reset FILE --to earliest/),
    };
    await expect(readAll(kafka, topic, 0, 3)).rejects.toMatchObject(gone);
    expect(valuesOf(await readAll(kafka, topic, 0, 5))).toEqual(['f']);
    expect(valuesOf(await readAll(kafka, topic))).toEqual(['f']);
  });

  it.each([
    ['earliest', 2, ['f']],
    ['latest', 3, []],
  ] as const)(
    'goes on at the %s where the source says so, and says how much was lost',
    async (onDataLoss, lost, left) => {
      const topic = await newTopic(onDataLoss);
      const producer = await foreignProducer();
      const send = (values: readonly string[]) =>
        producer.send({ topic, messages: values.map((value) => ({ value, partition: 0 })) });
      await send(['a', 'b', 'c', 'd', 'e', 'f']);
      await deleteBefore(topic, 0, 5);
      const warnings: string[] = [];
      const other = await open({ onWarning: (message) => warnings.push(message) });
      const reader = await other.source.open(
        { ...source(topic), onDataLoss },
        { task: { topology: 't', partition: 0 }, partition: 0, offset: 3, bounded: false, step: 'in' },
      );
      const read: string[] = [];
      let skipped = 0;
      const poll = async () => {
        const polled = await reader.poll(10);
        skipped += polled.skipped ?? 0;
        read.push(...valuesOf(polled.records));
      };
      await poll();
      await send(['g']);
      await producer.disconnect();
      while (!read.includes('g')) await poll();
      expect(read).toEqual([...left, 'g']);
      expect(skipped).toBe(lost);
      expect(warnings).toEqual([expect.stringMatching(`^source 'in': ${lost} records of ${topic}/0 are gone`)]);
      await reader.close();
      // Beyond the end of a log that was cut offsets come again: outputs would take their records for repetitions.
      const cut = other.source.open(
        { ...source(topic), onDataLoss },
        { task: { topology: 't', partition: 0 }, partition: 0, offset: 99, bounded: true, step: 'in' },
      );
      await expect(cut).rejects.toMatchObject({
        code: 'source',
        permanent: true,
        hint: expect.stringMatching(/was cut/),
      });
      await other.close();
    },
  );

  it('notices that records are deleted while it reads', async () => {
    const topic = await newTopic('overtaken');
    const producer = await foreignProducer();
    // Larger than what two fetches bring, so that the next one asks for what is not there any more.
    const large = 'x'.repeat(900_000);
    for (let i = 0; i < 8; i += 1) await producer.send({ topic, messages: [{ value: large, partition: 0 }] });
    await producer.disconnect();
    const reader = await kafka.source.open(source(topic), {
      task: { topology: 't', partition: 0 },
      partition: 0,
      offset: 0,
      bounded: false,
      step: 'in',
    });
    expect((await reader.poll(1)).records).toHaveLength(1);
    await deleteBefore(topic, 0, 8);
    const rest = (async () => {
      for (let polls = 0; polls < 50; polls += 1) await reader.poll(1);
    })();
    await expect(rest).rejects.toMatchObject({ code: 'source', permanent: true, where: `${topic}/0` });
    await reader.close();
  });

  it('goes on where the source says, also when that happens while it reads', async () => {
    const topic = await newTopic('passed');
    const producer = await foreignProducer();
    const large = 'x'.repeat(900_000);
    for (let i = 0; i < 8; i += 1) await producer.send({ topic, messages: [{ value: large, partition: 0 }] });
    const from = { ...source(topic), onDataLoss: 'earliest' } as const;
    const reader = await kafka.source.open(from, {
      task: { topology: 't', partition: 0 },
      partition: 0,
      offset: 0,
      bounded: false,
      step: 'in',
    });
    const first = await reader.poll(1);
    await deleteBefore(topic, 0, 8);
    await producer.send({ topic, messages: [{ value: 'last', partition: 0 }] });
    await producer.disconnect();
    const offsets = first.records.map(({ offset }) => offset);
    let skipped = 0;
    while (offsets.at(-1) !== 8) {
      const polled = await reader.poll(1);
      skipped += polled.skipped ?? 0;
      offsets.push(...polled.records.map(({ offset }) => offset));
    }
    expect(skipped).toBeGreaterThan(0);
    expect(offsets.length + skipped).toBe(9);
    await reader.close();
  });

  it('stops when the topic is re-created under its reader', async () => {
    const topic = await newTopic('recreated');
    const producer = await foreignProducer();
    await producer.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] });
    const reader = await kafka.source.open(source(topic), {
      task: { topology: 't', partition: 0 },
      partition: 0,
      offset: 0,
      bounded: false,
      step: 'in',
    });
    expect((await reader.poll(10)).records).toHaveLength(2);
    await kafka.deleteTopic(topic);
    await kafka.createTopic(topic, 1);
    await producer.send({ topic, messages: [{ value: 'c' }, { value: 'd' }, { value: 'e' }] });
    const polled = (async () => {
      for (let i = 0; i < 50; i += 1) expect((await reader.poll(10)).records).toEqual([]);
    })();
    await expect(polled).rejects.toMatchObject({ code: 'source', where: `${topic}/0` });
    await reader.close();
    await producer.disconnect();
  });

  it('says so where topic or partition do not exist', async () => {
    const missing = fresh('missing');
    await expect(kafka.source.partitions(source(missing))).rejects.toMatchObject({
      code: 'source',
      message: `topic '${missing}' does not exist`,
    });
    const topic = await newTopic('one');
    await expect(
      kafka.source.open(source(topic), {
        task: { topology: 't', partition: 3 },
        partition: 3,
        offset: 0,
        bounded: true,
        step: 'in',
      }),
    ).rejects.toMatchObject({
      code: 'source',
      message: `topic '${topic}' has no partition 3`,
    });
  });

  it('names the address that does not answer, and what to do', async () => {
    await expect(open({ brokers: ['127.0.0.1:1'] })).rejects.toMatchObject({
      code: 'config',
      message: expect.stringContaining('no Kafka broker answers at 127.0.0.1:1'),
      hint: expect.stringContaining('npm run stack'),
    });
    await expect(open({ brokers: ['nonsense'] })).rejects.toMatchObject({ code: 'config', hint: 'write host:port' });
  });
});
