import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutgoingRecord } from '../../../src/core/index.js';
import { foreignProducer, foreignSend, fresh } from '../kafka/world.js';
import { type ForeignProcess, startJava, startPython } from './foreign-process.js';
import { type OurClient, openOurs } from './our-client.js';
import { compressions, type Transport, transports } from './transports.js';
import { marked } from './values.js';

// Record batches: every compression, with keys and without, tombstones, headers and times, in both directions.

const python = startPython();
let java: ForeignProcess;
const bytes = (text: string) => Buffer.from(text);
/** Enough for batches that compress, and to tell their order. */
const records: readonly OutgoingRecord[] = [
  { key: null, value: bytes('no key'), timestampMs: 1 },
  { key: bytes('k'), value: null, timestampMs: 2 }, // a tombstone
  { key: bytes(''), value: bytes(''), timestampMs: 2 ** 40 },
  {
    key: Buffer.of(0, 255),
    value: bytes('headers'),
    timestampMs: 1_700_000_000_000,
    headers: [
      ['a', bytes('1')],
      ['ü', Buffer.of(0, 255)],
      ['a', bytes('')],
    ],
  },
  ...Array.from({ length: 300 }, (_, n) => ({
    key: bytes(`key ${n % 7}`),
    value: bytes(`a value that says itself again and again, ${n}`),
    timestampMs: 1_700_000_000_000 - n,
  })),
];
const readable = ({ key, value, timestampMs, headers = [] }: Omit<OutgoingRecord, 'offset'>) =>
  marked({ key, value, timestampMs, headers: [...headers] });

let ours: Record<(typeof compressions)[number], OurClient>;
beforeAll(async () => {
  const opened = await Promise.all(compressions.map(async (each) => [each, await openOurs(each)] as const));
  ours = Object.fromEntries(opened) as typeof ours;
  java = await startJava();
});
afterAll(async () => {
  for (const each of Object.values(ours)) await each.close();
  await python.end();
  await java.end();
});

const task = (topic: string, compression: string) => ({
  op: 'write records',
  ...{ topic, compression, records: records.map(readable) },
});
const theyWrite: Record<Transport['name'], (topic: string, compression: string) => Promise<unknown>> = {
  librdkafka: (topic, compression) => python.ask(task(topic, compression)),
  java: (topic, compression) => java.ask(task(topic, compression)),
  async kafkajs(topic, compression) {
    const producer = await foreignProducer();
    const gzip = compression === 'gzip' ? 1 : 0;
    await foreignSend({ send: (batch) => producer.send({ ...batch, compression: gzip }) }, topic, 0, records);
    await producer.disconnect();
  },
};
const theyRead = (name: Transport['name'], topic: string) =>
  (name === 'java' ? java : python).ask<{ values: unknown[] }>({
    op: 'read records',
    ...{ topic, count: records.length },
  });

describe.each(transports.map((each) => [each.title, each] as const))('%s', (_, { name, writes, reads }) => {
  it.each(writes)('%s: they write, we read', async (compression) => {
    const topic = fresh(`transport-${name}-${compression}`);
    await ours.none.createTopic(topic);
    await theyWrite[name](topic, compression);
    const read = (await ours.none.readAll(topic)).map(readable) as { headers: unknown }[];
    const expected = records.map(readable);
    // kafkajs keeps the headers of a name together.
    const together =
      name === 'kafkajs' ? [...(records[3]?.headers ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)) : undefined;
    expect(read).toEqual(
      together ? expected.with(3, { ...(expected[3] as object), headers: marked(together) }) : expected,
    );
  });

  it.each(reads)('%s: we write, they read', async (compression) => {
    const topic = fresh(`transport-out-${compression}`);
    await ours.none.createTopic(topic);
    await ours[compression].append(topic, records);
    expect((await theyRead(name, topic)).values).toEqual(records.map(readable));
  });
});
