import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { OutgoingBatch } from '../../../connectors/kafka/protocol/produce.js';
import { batch } from '../../../connectors/kafka/protocol/record-batch.js';
import { openRecords, readBatch } from '../../../connectors/kafka/protocol/record-batch-decode.js';
import { RecordAccumulator, wavesOf } from '../../../connectors/kafka/record-accumulator.js';
import type { RawRecord } from '../../../src/core/record.js';
import { record, text } from './batches.js';

const identity = { producerId: 3n, producerEpoch: 1, transactional: true };
const header = ({ topic, partition, bytes }: OutgoingBatch) => ({
  partition: `${topic}/${partition}`,
  sequence: bytes.readInt32BE(batch.sequence),
  records: bytes.readInt32BE(batch.count),
});

function valuesOf(batches: readonly OutgoingBatch[]): (string | null)[] {
  const records: RawRecord[] = [];
  for (const { bytes } of batches) {
    const found = readBatch(bytes, 0, 'sent');
    if (found) records.push(...(openRecords(found, 0, 'sent').take(Number.POSITIVE_INFINITY) ?? []));
  }
  return records.map(({ value }) => text(value));
}

it('numbers the records of each partition without a gap, over batches and epochs', () => {
  const accumulator = new RecordAccumulator(() => identity);
  for (let i = 0; i < 3; i += 1) accumulator.add('a', 0, record(`${i}`));
  accumulator.add('a', 1, record('x'));
  accumulator.add('b', 0, record('y'));
  expect(accumulator.hasSealed).toBe(false);
  expect(accumulator.takeAll().map(header)).toEqual([
    { partition: 'a/0', sequence: 0, records: 3 },
    { partition: 'a/1', sequence: 0, records: 1 },
    { partition: 'b/0', sequence: 0, records: 1 },
  ]);
  accumulator.add('a', 0, record('3'));
  expect(accumulator.takeAll().map(header)).toEqual([{ partition: 'a/0', sequence: 3, records: 1 }]);
  expect(accumulator.takeAll()).toEqual([]);
});

it.each([Number.NaN, 0.5])('takes no record for partition %d, which would never be sent', (partition) => {
  const accumulator = new RecordAccumulator(() => identity);
  expect(() => accumulator.add('a', partition, record('x'))).toThrow(
    expect.objectContaining({ code: 'sink', where: 'a', message: `topic 'a' has no partition ${partition}` }),
  );
});

it('seals a batch before it outgrows the default limit of brokers', () => {
  const accumulator = new RecordAccumulator(() => identity);
  const value = 'v'.repeat(10_000);
  for (let i = 0; i < 250; i += 1) accumulator.add('a', 0, record(`${i}:${value}`));
  expect(accumulator.hasSealed).toBe(true);
  const batches = [...accumulator.takeSealed(), ...accumulator.takeAll()];
  expect(batches.map(({ bytes }) => bytes.length).every((length) => length <= 1_000_000)).toBe(true);
  expect(batches.length).toBe(3);
  expect(valuesOf(batches).map((each) => Number(each?.split(':')[0]))).toEqual(
    Array.from({ length: 250 }, (_, i) => i),
  );
});

it('gives a record that is larger than that a batch of its own', () => {
  const accumulator = new RecordAccumulator(() => identity);
  accumulator.add('a', 0, record('before'));
  accumulator.add('a', 0, record('v'.repeat(2_000_000)));
  accumulator.add('a', 0, record('after'));
  const batches = [...accumulator.takeSealed(), ...accumulator.takeAll()];
  expect(batches.map(header).map(({ records }) => records)).toEqual([1, 1, 1]);
});

it('splits batches into requests that brokers accept, in order', () => {
  const one = fc.record({ partition: fc.integer({ min: 0, max: 3 }), size: fc.integer({ min: 1, max: 60 }) });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 40 }), (several) => {
      const batches = several.map(
        ({ partition, size }): OutgoingBatch => ({ topic: 't', partition, bytes: Buffer.alloc(size) }),
      );
      const waves = wavesOf(batches, 100);
      for (const wave of waves) {
        expect(wave.length).toBeGreaterThan(0);
        expect(new Set(wave.map(({ partition }) => partition)).size).toBe(wave.length);
        const bytes = wave.reduce((sum, each) => sum + each.bytes.length, 0);
        expect(bytes <= 100 || wave.length === 1).toBe(true);
      }
      const sent = waves.flat();
      for (let partition = 0; partition < 4; partition += 1) {
        const of = (all: readonly OutgoingBatch[]) => all.filter((each) => each.partition === partition);
        expect(of(sent)).toEqual(of(batches));
      }
    }),
  );
});

it('compresses each topic as it was told, and the others as all', () => {
  const accumulator = new RecordAccumulator(() => identity, 'zstd');
  accumulator.compress('plain', 'none');
  accumulator.compress('b', 'lz4');
  for (const topic of ['plain', 'a', 'b']) accumulator.add(topic, 0, record('v'.repeat(5_000)));
  const batches = accumulator.takeAll();
  const codecs = batches.map(({ topic, bytes }) => [topic, bytes.readInt16BE(batch.attributes) & batch.compression]);
  expect(Object.fromEntries(codecs)).toEqual({ plain: 0, a: 4, b: 3 });
  expect(valuesOf(batches)).toEqual(Array.from({ length: 3 }, () => 'v'.repeat(5_000)));
});
