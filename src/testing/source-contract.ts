import { deepStrictEqual, ok } from 'node:assert';
import { EARLIEST } from '../core/checkpoint.js';
import { bytesOf, type OutgoingRecord, type RawRecord } from '../core/record.js';
import type { Source, SourceDriver, SourceReader } from '../core/source.js';
import { type ContractCheck, checkIn, legible } from './contract.js';

/** A source under test, on an empty topic with at least two partitions. */
export interface SourceWorld {
  readonly driver: SourceDriver;
  readonly source: Source<unknown>;
  /** Appends to the source's topic from outside; readable when it resolves. */
  append(partition: number, records: readonly OutgoingRecord[]): Promise<void>;
  /**
   * The record as the source returns it, if it cannot store all of it: a line of a file has no key, for example. Undefined for a
   * record that cannot be appended.
   */
  readonly kept?: (record: OutgoingRecord) => OutgoingRecord | undefined;
  close(): Promise<void>;
}

/** The deadline for expected records, in polls: real brokers need some. */
const POLLS_MAX = 200;

/**
 * Checks what every source must do: return each record once, in order, unchanged; continue at any position; end where it should.
 *
 * @example
 * for (const { name, run } of sourceContract(openWorld)) it(name, run);
 */
export function sourceContract(open: () => Promise<SourceWorld>): readonly ContractCheck[] {
  const check = (name: string, body: (world: SourceWorld) => Promise<void>) => checkIn(open, name, body);
  return [
    check('gives every record once, in order, as it was written', async (world) => {
      const records = keptBy(world, [...plain(0, 2_500), ...odd(2_500)]);
      await world.append(0, records.slice(0, 1_700));
      await world.append(0, records.slice(1_700));
      const read = await readAll(await openReader(world, 0, EARLIEST, true), 97);
      deepStrictEqual(read.map(legible), records.map(legible));
      for (let i = 1; i < read.length; i++) ok(at(read, i).offset > at(read, i - 1).offset, 'offsets rise');
    }),

    check('gives no record beyond the bytes that were asked for, and always one', async (world) => {
      const records = Array.from({ length: 40 }, (_, i) => ({
        key: null,
        value: Buffer.from(`${i}-${'x'.repeat(i % 7 === 3 ? 90_000 : 9_000)}`),
        timestampMs: 1_600_000_000_000 + i,
      }));
      await world.append(0, records);
      const reader = await openReader(world, 0, EARLIEST, true);
      const read: RawRecord[] = [];
      for (let polls = 0, ended = false; !ended; polls++) {
        ok(polls < POLLS_MAX, `the end within ${POLLS_MAX} polls`);
        const polled = await reader.poll(1_000, 30_000);
        const before = polled.records.slice(0, -1).reduce((sum, record) => sum + bytesOf(record), 0);
        ok(before < 30_000, `${before} bytes before the last record of a poll of 30,000`);
        read.push(...polled.records);
        ended = polled.ended;
      }
      await reader.close();
      deepStrictEqual(read.map(legible), keptBy(world, records).map(legible));
    }),

    check('continues at the position of any record, without loss or duplicates', async (world) => {
      await world.append(0, plain(0, 1_100));
      await world.append(0, plain(1_100, 60));
      const all = await readAll(await openReader(world, 0, EARLIEST, true), 1_000);
      for (const index of [0, 1, 2, 499, 999, 1_000, 1_001, 1_099, 1_100, 1_101, 1_159]) {
        const rest = await readAll(await openReader(world, 0, at(all, index).offset, true), 400);
        deepStrictEqual(rest.map(legible), all.slice(index).map(legible), `from record ${index}`);
      }
      const after = await readAll(await openReader(world, 0, at(all, 1_159).offset + 1, true), 10);
      deepStrictEqual(after, [], 'after the last record there is nothing');
    }),

    check('ends, when bounded, at the end of the log when it was opened', async (world) => {
      await world.append(0, plain(0, 10));
      const reader = await openReader(world, 0, EARLIEST, true);
      await world.append(0, plain(10, 5));
      deepStrictEqual((await readAll(reader, 4)).map(legible), keptBy(world, plain(0, 10)).map(legible));
    }),

    check('ends at once, when bounded, on a partition without records', async (world) => {
      await world.append(1, plain(0, 3));
      deepStrictEqual(await readAll(await openReader(world, 0, EARLIEST, true), 10), []);
    }),

    check('keeps partitions apart', async (world) => {
      ok((await world.driver.partitions(world.source)) >= 2, 'the topic has two partitions');
      await world.append(0, plain(0, 30));
      await world.append(1, plain(100, 20));
      const read = async (partition: number) => readAll(await openReader(world, partition, EARLIEST, true), 7);
      deepStrictEqual((await read(0)).map(legible), keptBy(world, plain(0, 30)).map(legible));
      deepStrictEqual((await read(1)).map(legible), keptBy(world, plain(100, 20)).map(legible));
    }),

    check('continues with later records when not bounded, and never ends', async (world) => {
      await world.append(0, plain(0, 3));
      const reader = await openReader(world, 0, EARLIEST, false);
      const seen = await readUntil(reader, 3);
      const idle = await reader.poll(10);
      deepStrictEqual(idle, { records: [], ended: false }, 'nothing to read is not the end');
      await world.append(0, plain(3, 4));
      seen.push(...(await readUntil(reader, 4)));
      await reader.close();
      deepStrictEqual(seen.map(legible), keptBy(world, plain(0, 7)).map(legible));
    }),

    check('can be closed while a poll waits, and twice', async (world) => {
      const reader = await openReader(world, 0, EARLIEST, false);
      const waiting = reader.poll(10).catch(() => ({ records: [], ended: true }));
      await reader.close();
      deepStrictEqual((await waiting).records, []);
      await reader.close();
    }),
  ];
}

/** The records as the source returns them, without those that cannot be appended. */
const keptBy = ({ kept = (record) => record }: SourceWorld, records: readonly OutgoingRecord[]): OutgoingRecord[] =>
  records.flatMap((record) => kept(record) ?? []);

const openReader = ({ driver, source }: SourceWorld, partition: number, offset: number, bounded: boolean) =>
  driver.open(source, { task: { topology: 'contract', partition }, partition, offset, bounded, step: 'input' });

async function readAll(reader: SourceReader, recordsMax: number): Promise<RawRecord[]> {
  const read: RawRecord[] = [];
  for (let polls = 0; polls < POLLS_MAX; polls++) {
    const { records, ended } = await reader.poll(recordsMax);
    ok(records.length <= recordsMax, `${records.length} records, more than the requested ${recordsMax}`);
    read.push(...records);
    if (ended) {
      await reader.close();
      return read;
    }
  }
  throw new Error(`the bounded reader did not end within ${POLLS_MAX} polls; it gave ${read.length} records`);
}

async function readUntil(reader: SourceReader, count: number): Promise<RawRecord[]> {
  const read: RawRecord[] = [];
  for (let polls = 0; polls < POLLS_MAX && read.length < count; polls++) {
    const { records, ended } = await reader.poll(count - read.length);
    ok(!ended, 'an unbounded reader does not end');
    read.push(...records);
  }
  ok(read.length === count, `${read.length} of ${count} records arrived`);
  return read;
}

function at(records: readonly RawRecord[], index: number): RawRecord {
  const record = records[index];
  ok(record !== undefined, `record ${index} of ${records.length}`);
  return record;
}

const plain = (from: number, count: number): OutgoingRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    key: Buffer.from(`key-${(from + i) % 17}`),
    value: Buffer.from(`value-${from + i}-${'x'.repeat((from + i) % 120)}`),
    timestampMs: 1_600_000_000_000 + (from + i) * 1_000,
  }));

/** No key, no value, empty ones, headers, a large one. */
const odd = (from: number): OutgoingRecord[] => {
  const timestampMs = 1_600_000_000_000 + from * 1_000;
  return [
    { key: null, value: Buffer.from('without a key'), timestampMs },
    { key: Buffer.from('tombstone'), value: null, timestampMs },
    { key: Buffer.alloc(0), value: Buffer.alloc(0), timestampMs },
    {
      key: Buffer.from('headers'),
      value: Buffer.from([0, 255]),
      timestampMs,
      headers: [
        ['trace', Buffer.from('1')],
        ['trace', Buffer.from('2')],
        ['größe', Buffer.alloc(0)],
      ],
    },
    { key: null, value: Buffer.alloc(400_000, 7), timestampMs },
    { key: Buffer.from('last'), value: Buffer.from('last'), timestampMs: timestampMs + 1 },
  ];
};
