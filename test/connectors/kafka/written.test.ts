import { afterEach, expect, it, vi } from 'vitest';
import { kafka as specs } from '../../../connectors/kafka/index.js';
import type { Kafka } from '../../../connectors/kafka/open.js';
import { deadLetterHeaders } from '../../../connectors/kafka/topic-options.js';
import { writtenTopics } from '../../../connectors/kafka/written.js';
import type { OutgoingRecord } from '../../../src/core/record.js';
import type { Sink } from '../../../src/core/sink.js';
import { localRegistry } from '../../../src/schema/index.js';
import { json } from '../../integration/kafka/world.js';
import { record } from './batches.js';
import { memoryKafka } from './memory-kafka.js';

let kafka: Kafka;
afterEach(async () => {
  await kafka.close();
  vi.restoreAllMocks();
});

const origin = (task: number, offset: number) =>
  [
    [deadLetterHeaders.topic, 'in'],
    [deadLetterHeaders.partition, String(task)],
    [deadLetterHeaders.offset, String(offset)],
  ].map(([name = '', text = '']) => [name, Buffer.from(text)] as const);
const of = (
  value: string | null,
  task: number,
  offset: number,
  more: Partial<OutgoingRecord> = {},
): OutgoingRecord => ({
  ...{ ...record(value, 'k'), headers: origin(task, offset) },
  ...more,
});
const sink = specs.sink({ topic: 'out', schema: json }) as Sink<unknown>;

async function read(partitions: readonly (readonly OutgoingRecord[])[], ordered = true, of = sink) {
  kafka = await memoryKafka().connect();
  await kafka.createTopic('out', partitions.length);
  for (const [partition, records] of partitions.entries()) await kafka.producer().append('out', partition, records);
  const log = { source: kafka.source, deleteTopic: kafka.deleteTopic } as never;
  const written = writtenTopics({ log, schemas: localRegistry() });
  const output = await written.read(of, { step: 'out' } as never, ordered);
  const entries = [];
  for await (const entry of output.entries()) entries.push(entry);
  return { output, entries, written };
}

it('the records of a topic are told apart by task, place and bytes', async () => {
  const { output, entries } = await read([[of('a', 0, 1), of('b', 1, 1)], [of('a', 0, 1)]]);
  expect([output.how, output.sorted]).toEqual(['in order', false]);
  expect(entries.map(({ sequence, id, at }) => [sequence, id, at])).toEqual([
    ['0/0', 'in/0/1', '0/0'],
    ['0/1', 'in/1/1', '0/1'],
    ['1/0', 'in/0/1', '1/0'],
  ]);
  expect(entries[0]?.digest).toBe(entries[2]?.digest);
  expect(entries[0]?.digest).not.toBe(entries[1]?.digest);
});

it('in any order they are their own names', async () => {
  const { output, entries } = await read([[of('a', 0, 1), { ...record('x'), headers: [] }]], false);
  expect(output.how).toBe('in any order');
  expect(entries.map(({ id, digest }) => id === digest)).toEqual([true, true]);
  expect(entries[1]?.sequence).toBe('0/?');
});

it('every part of a record counts: key, value, each header, and where one ends', async () => {
  const h = (...more: readonly (readonly [string, string])[]) => [
    ...origin(0, 1),
    ...more.map(([name, text]) => [name, Buffer.from(text)] as const),
  ];
  const variants = [
    of('a', 0, 1),
    of('b', 0, 1),
    of(null, 0, 1),
    of('', 0, 1),
    of('a', 0, 1, { key: null }),
    of('a', 0, 1, { key: Buffer.from('ka'), value: Buffer.alloc(0) }),
    of('a', 0, 1, { headers: h(['n', 'x']) }),
    of('a', 0, 1, { headers: h(['nx', '']) }),
    of('a', 0, 1, { headers: h(['n', 'x'], ['n', 'x']) }),
    // A later header of the name is the record's own.
    of('a', 0, 1, { headers: h([deadLetterHeaders.offset, '1']) }),
  ];
  const { entries } = await read([variants]);
  expect(new Set(entries.map(({ digest }) => digest)).size).toBe(variants.length);
  // Where it came from is no part of it.
  const elsewhere = await read([[of('a', 3, 9)]]);
  expect(elsewhere.entries[0]?.digest).toBe(entries[0]?.digest);
});

it('one is shown as it was written, also where it cannot be decoded', async () => {
  const { output, written } = await read([[of('{"n":1}', 0, 1), of('{', 0, 2), of(null, 0, 3, { key: null })]]);
  expect(await output.show?.('0/0')).toEqual({ key: 'k', value: { n: 1 } });
  expect(await output.show?.('0/1')).toEqual({ key: 'k', value: '{' });
  expect(await output.show?.('0/2')).toEqual({ key: null, value: null });
  expect(await output.show?.('0/3')).toBeUndefined();
  await written.remove(sink, {} as never);
  await expect(kafka.endOffsets('out')).rejects.toMatchObject({ code: 'source' });
});

it('dead letters are read as JSON where they are', async () => {
  const letters = specs.deadLetterSink({ topic: 'out' }) as Sink<unknown>;
  const { output } = await read([[of('[1]', 0, 1)]], true, letters);
  expect(await output.show?.('0/0')).toEqual({ key: 'k', value: [1] });
});
