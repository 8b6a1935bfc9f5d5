import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import type { TaskLedger } from '../../../src/core/checkpoint.js';
import type { Origin, OutgoingRecord } from '../../../src/core/record.js';
import type { Sink, SinkWriter } from '../../../src/core/sink.js';
import type { StateChange } from '../../../src/core/state.js';
import { originAt } from '../../../src/testing/contract.js';
import {
  bytesIn,
  foreignProducer,
  foreignRead,
  fresh,
  json,
  librdkafka,
  open,
  readAll,
  settled,
  sink,
} from './world.js';

const prefix = fresh('writing');
let kafka: Kafka;
const topics: string[] = [];

beforeAll(async () => {
  kafka = await open({ prefix });
});
afterAll(async () => {
  for (const topic of topics) await kafka.deleteTopic(topic);
  await kafka.close();
});

async function newTopic(name: string, partitions: number, settings = {}): Promise<string> {
  const topic = fresh(name);
  topics.push(topic);
  await kafka.createTopic(topic, partitions, settings);
  return topic;
}

interface Task {
  readonly ledger: TaskLedger;
  readonly writer: SinkWriter;
  commit(): Promise<void>;
}

async function openTask(into: Sink<unknown>, partition = 0): Promise<Task> {
  const topology = fresh('task');
  topics.push(`${prefix}.${topology}.changelog`);
  const task = { topology, partition };
  const ledger = await kafka.openLedger(task);
  await ledger.restore();
  const writer = await kafka.topicSink.open(into, { step: 'out', task, incarnation: 0 });
  let epoch = 0;
  const commit = async () => {
    epoch += 1;
    await ledger.commit({ epoch, incarnation: 0, topologyHash: '', positions: {}, settledDecisions: {} }, []);
    await settled(prefix);
  };
  return { ledger, writer, commit };
}

const keys = Array.from({ length: 300 }, (_, i) => `key-${i}-${'é'.repeat(i % 5)}`);
const partitionsByKey = (records: readonly { key: string | null; partition: number }[]) =>
  new Map(records.map(({ key, partition }) => [key, partition]));

describe('partitions', () => {
  it('are those that librdkafka (murmur2_random) and kafkajs choose for a key', async () => {
    const [ours, theirs, rdkafka] = [
      await newTopic('ours', 7),
      await newTopic('kafkajs', 7),
      await newTopic('rdkafka', 7),
    ];
    const producer = kafka.producer();
    await producer.send(
      ours,
      keys.map((key) => ({ key: Buffer.from(key), value: Buffer.from('v'), timestampMs: 1 })),
    );
    await producer.close();
    const kafkajs = await foreignProducer();
    await kafkajs.send({ topic: theirs, messages: keys.map((key) => ({ key, value: 'v' })) });
    await kafkajs.disconnect();
    await librdkafka(
      `
producer = Producer({'bootstrap.servers': broker, 'partitioner': 'murmur2_random'})
for key in json.loads(args[1]): producer.produce(args[0], key=key, value='v', on_delivery=fail)
producer.flush()
print(1)`,
      rdkafka,
      JSON.stringify(keys),
    );
    const expected = partitionsByKey(await foreignRead(ours));
    expect(expected.size).toBe(keys.length);
    expect(new Set(expected.values()).size).toBe(7);
    expect(partitionsByKey(await foreignRead(theirs))).toEqual(expected);
    expect(partitionsByKey(await foreignRead(rdkafka))).toEqual(expected);
  });

  it('must be text: there is no room for a value without one', async () => {
    const topic = await newTopic('keyless', 1);
    const { ledger, writer } = await openTask(sink(topic, (value) => (value as unknown as { k: string }).k));
    expect(writer.unrepresentable?.({}, originAt(7))).toBe('the key is undefined, not text');
    await ledger.close();
  });

  it('take turns where there is no key', async () => {
    const topic = await newTopic('turns', 4);
    const producer = kafka.producer();
    await producer.send(
      topic,
      Array.from({ length: 40 }, () => ({ key: null, value: Buffer.from('v'), timestampMs: 1 })),
    );
    await producer.close();
    expect(await kafka.endOffsets(topic)).toEqual([10, 10, 10, 10]);
  });
});

describe('the producer', () => {
  it('keeps the order of a partition over many batches and sends, and everything of a record', async () => {
    const topic = await newTopic('producer', 2);
    const producer = kafka.producer();
    const record = (n: number): OutgoingRecord => ({
      key: Buffer.from(`k${n % 13}`),
      value: n % 50 === 0 ? null : Buffer.from(`${n}:${'x'.repeat(1_000)}`),
      timestampMs: 1_000 + n,
      ...(n % 3 === 0 ? { headers: [['n', Buffer.from(`${n}`)]] as const } : {}),
    });
    const sends: Promise<void>[] = [];
    for (let from = 0; from < 6_000; from += 1_500) {
      sends.push(
        producer.send(
          topic,
          Array.from({ length: 1_500 }, (_, i) => record(from + i)),
        ),
      );
    }
    await Promise.all(sends);
    await producer.close();
    const read = await foreignRead(topic);
    const seen = read.map(({ timestampMs, value, headers }) => {
      const n = timestampMs - 1_000;
      expect(value).toBe(n % 50 === 0 ? null : `${n}:${'x'.repeat(1_000)}`);
      expect(headers).toEqual(n % 3 === 0 ? [['n', `${n}`]] : []);
      return n;
    });
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: 6_000 }, (_, n) => n));
    for (const partition of [0, 1]) {
      const order = read.filter((each) => each.partition === partition).map(({ timestampMs }) => timestampMs);
      expect(order).toEqual([...order].sort((a, b) => a - b));
    }
  });

  it('names the topic setting when a record is too large for it', async () => {
    const topic = await newTopic('large', 1);
    const producer = kafka.producer();
    const large = { key: null, value: Buffer.alloc(1_200_000), timestampMs: 0 };
    await expect(producer.send(topic, [large])).rejects.toMatchObject({
      code: 'sink',
      message: expect.stringContaining('MESSAGE_TOO_LARGE'),
      hint: expect.stringContaining('max.message.bytes'),
    });
    await producer.close();
  });
});

describe('a task', () => {
  it('writes far more than one batch an epoch, in order, once', async () => {
    const topic = await newTopic('epochs', 3);
    const { ledger, writer, commit } = await openTask(sink(topic, ({ n }) => `k${n % 31}`));
    const count = 60_000;
    const filler = 'y'.repeat(150);
    for (let from = 0; from < count; from += 1_000) {
      const numbers = Array.from({ length: 1_000 }, (_, i) => from + i);
      await writer.write(
        numbers.map((n) => ({ n, filler })),
        numbers.map((n) => originAt(n)),
      );
      if (from % 20_000 === 19_000) await commit();
    }
    await ledger.close();
    const read = (await foreignRead(topic)).map(({ partition, value }) => ({
      partition,
      n: (JSON.parse(value ?? '') as { n: number }).n,
    }));
    expect(read).toHaveLength(count);
    for (const partition of [0, 1, 2]) {
      const numbers = read.filter((each) => each.partition === partition).map(({ n }) => n);
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
    expect(new Set(read.map(({ n }) => n)).size).toBe(count);
  });

  it.each(['gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'writes %s that brokers and other clients take',
    async (compression) => {
      const [topic, plain] = [await newTopic(compression, 2), await newTopic('plain', 2)];
      const written = Array.from({ length: 20_000 }, (_, n) => ({ n, text: `line ${n} of many lines` }));
      const bytesOf: number[] = [];
      for (const into of [topic, plain]) {
        const options = { topic: into, schema: json, key: ({ n }: { n: number }) => `k${n % 7}` };
        const compressed = specs.sink({ ...options, ...(into === topic ? { compression } : {}) });
        const { ledger, writer, commit } = await openTask(compressed as Sink<unknown>);
        await writer.write(
          written,
          written.map(({ n }) => originAt(n)),
        );
        await commit();
        await ledger.close();
        bytesOf.push(await bytesIn(into));
      }
      const [small = 0, large = 0] = bytesOf;
      expect(small).toBeLessThan(large / 2);
      const read = await foreignRead(topic);
      expect(new Set(read.map(({ value }) => value))).toEqual(new Set(written.map((value) => JSON.stringify(value))));
      expect(read).toHaveLength(written.length);
      const ours = [...(await readAll(kafka, topic, 0)), ...(await readAll(kafka, topic, 1))];
      expect(ours.map(({ value }) => String(value)).sort()).toEqual(read.map(({ value }) => value).sort());
    },
  );

  it('writes a compressed changelog and restores from it', async () => {
    const compressing = await open({ prefix, compression: 'zstd' });
    const task = { topology: fresh('compressed'), partition: 0 };
    const changelog = `${prefix}.${task.topology}.changelog`;
    topics.push(changelog);
    const value = Buffer.from('state '.repeat(20_000));
    const state = { step: 'count', cell: 'cells', bucket: 0, version: 1, bytes: value } as unknown as StateChange;
    const ledger = await compressing.openLedger(task);
    await ledger.restore();
    await ledger.commit({ epoch: 1, incarnation: 0, topologyHash: '', positions: {}, settledDecisions: {} }, [state]);
    await ledger.close();
    await settled(prefix);
    expect(await bytesIn(changelog)).toBeLessThan(value.length / 10);
    const again = await compressing.openLedger(task);
    expect((await again.restore()).state).toHaveLength(1);
    await again.close();
    await compressing.close();
  });

  it('writes the time of the event, but none that the broker would refuse', async () => {
    const topic = await newTopic('times', 1);
    const { ledger, writer, commit } = await openTask(sink(topic));
    const origin = (eventTimeMs: number): Origin => ({ ...originAt(0), eventTimeMs });
    const before = Date.now();
    await writer.write([{ n: 0 }, { n: 1 }, { n: 2 }], [origin(987_654_321.75), origin(8e15), origin(-5)]);
    await commit();
    await ledger.close();
    const times = (await foreignRead(topic)).map(({ timestampMs }) => timestampMs);
    expect(times[0]).toBe(987_654_321);
    expect(times[1]).toBeGreaterThanOrEqual(before);
    expect(times[1]).toBeLessThanOrEqual(Date.now());
    expect(times[2]).toBe(0);
  });

  it('passes the key of the origin on, and its partition where there is none', async () => {
    const topic = await newTopic('keys', 4);
    const { ledger, writer, commit } = await openTask(sink(topic));
    await writer.write(
      [{ n: 0 }, { n: 1 }],
      [
        { ...originAt(0, 2), key: null },
        { ...originAt(1, 2), key: Buffer.from('key-7-éé') },
      ],
    );
    await commit();
    await ledger.close();
    const read = (await foreignRead(topic)).map(({ key, partition }) => ({ key, partition }));
    expect(read).toContainEqual({ key: null, partition: 2 });
    expect(read.find(({ key }) => key !== null)?.key).toBe('key-7-éé');
  });

  it('commits with a dead letter that is too large for its topic, and keeps its first bytes', async () => {
    const topic = await newTopic('dead', 1);
    const { ledger, writer, commit } = await openTask(specs.deadLetterSink({ topic }) as Sink<unknown>);
    const large = { ...originAt(1), raw: Buffer.alloc(1_048_450, 'x') };
    const small = originAt(2);
    const letters = [large, small].map((origin) => ({ reason: 'malformed', detail: '', step: 'decode', origin }));
    await writer.write(letters, [large, small]);
    await commit();
    await ledger.close();
    const [cut, whole] = await foreignRead(topic);
    expect(cut?.value).toBe('x'.repeat(65_536));
    expect(cut?.headers).toContainEqual(['millrace.raw', 'cut']);
    expect(cut?.headers).toContainEqual(['millrace.bytes', '1048450']);
    expect(whole?.value).toBe('raw-2');
  });

  it('keeps a dead letter as it came: bytes, key, headers and why', async () => {
    const topic = await newTopic('dead', 2);
    const { ledger, writer, commit } = await openTask(specs.deadLetterSink({ topic }) as Sink<unknown>);
    const origin = { ...originAt(41, 1, [['trace', Buffer.from('t')]]), topic: 'flights' };
    const letters = [
      { reason: 'malformed', detail: 'größer', step: 'decode', origin },
      { reason: 'null', detail: '', step: 'validate', origin: { ...origin, raw: null, headers: undefined } },
    ];
    await writer.write(letters, [origin, origin]);
    await commit();
    await ledger.close();
    const read = await foreignRead(topic);
    expect(read.map(({ partition, key, value }) => ({ partition, key, value }))).toEqual([
      { partition: 1, key: 'key-41', value: 'raw-41' },
      { partition: 1, key: 'key-41', value: null },
    ]);
    expect(read[0]?.headers).toEqual([
      ['millrace.reason', 'malformed'],
      ['millrace.detail', 'größer'],
      ['millrace.step', 'decode'],
      ['millrace.topic', 'flights'],
      ['millrace.partition', '1'],
      ['millrace.offset', '41'],
      ['trace', 't'],
    ]);
  });

  it('creates the topic of a sink once, and refuses another number of partitions', async () => {
    const topic = fresh('set-up');
    topics.push(topic);
    const topology = fresh('task');
    topics.push(`${prefix}.${topology}.changelog`);
    const context = { topology, step: 'out', partitions: 3 };
    await kafka.topicSink.setUp?.(sink(topic), context);
    await kafka.topicSink.setUp?.(sink(topic), context);
    expect(await kafka.endOffsets(topic)).toHaveLength(3);
    const more = specs.sink({ topic, schema: { format: 'json', subject: '', definition: undefined }, partitions: 5 });
    await expect(kafka.topicSink.setUp?.(more as Sink<unknown>, context)).rejects.toMatchObject({
      code: 'config',
      message: `topic '${topic}' has 3 partitions, not 5`,
    });
  });

  it('cannot be written for without its ledger', async () => {
    const topic = await newTopic('no-ledger', 1);
    const context = { step: 'out', task: { topology: 'nobody', partition: 0 }, incarnation: 0 };
    await expect(kafka.topicSink.open(sink(topic), context)).rejects.toMatchObject({ code: 'config', where: 'out' });
  });
});
